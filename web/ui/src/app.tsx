import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { Tooltip } from 'radix-ui';
import { lazy, Suspense } from 'react';
import { Redirect, Route, Router, Switch, useSearch } from 'wouter';
import { basePath } from './api';
import { ExplorePage } from './explore/page';
import { Shell } from './shell';

const FlowPage = lazy(() => import('./flow/page'));
const EventPage = lazy(() => import('./event/page'));
const DashboardsPage = lazy(() => import('./dashboards/page'));
const DashboardPage = lazy(() => import('./dashboards/view'));
const PipelinesPage = lazy(() => import('./pipelines/page'));
const ConsolePage = lazy(() => import('./console/page'));
const AlertsPage = lazy(() => import('./alerts/page'));
const SettingsPage = lazy(() => import('./settings/page'));
const StartPage = lazy(() => import('./start/page'));

const client = new QueryClient({ defaultOptions: { queries: { refetchOnWindowFocus: false } } });

export function App() {
  return (
    <QueryClientProvider client={client}>
      <Tooltip.Provider delayDuration={400} skipDelayDuration={100}>
        <Router base={basePath()}>
          <Shell>
            <Suspense fallback={null}>
              <Switch>
                <Route path="/explore" component={ExplorePage} />
                <Route path="/dashboards" component={DashboardsPage} />
                <Route path="/dashboards/:id" component={DashboardPage} />
                <Route path="/flow" component={FlowPage} />
                <Route path="/pipelines" component={PipelinesPage} />
                <Route path="/alerts" component={AlertsPage} />
                <Route path="/console" component={ConsolePage} />
                <Route path="/settings" component={SettingsPage} />
                <Route path="/start" component={StartPage} />
                <Route path="/e" component={EventPage} />
                <Route component={Start} />
              </Switch>
            </Suspense>
          </Shell>
        </Router>
      </Tooltip.Provider>
    </QueryClientProvider>
  );
}

function Start() {
  const search = useSearch();
  return <Redirect to={search ? `/explore?${search}` : '/explore'} replace />;
}

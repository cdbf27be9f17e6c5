// The pages of the rail: one table for the rail, the keys and the palette. A page's code is loaded when it is opened (app.tsx).

import type { Action } from './keys';
import type { IconName } from './kit/icon';

export type PageName = 'explore' | 'dashboards' | 'flow' | 'pipelines' | 'alerts' | 'console' | 'settings';

export interface Page {
  path: string;
  icon: IconName;
  name: PageName;
  action: Action;
  /** Takes the time range and the pinned filters along. */
  range?: boolean;
}

export const pages: Page[] = [
  { path: '/explore', icon: 'explore', name: 'explore', action: 'goExplore', range: true },
  { path: '/dashboards', icon: 'dashboards', name: 'dashboards', action: 'goDashboards' },
  { path: '/flow', icon: 'flow', name: 'flow', action: 'goFlow' },
  { path: '/pipelines', icon: 'pipelines', name: 'pipelines', action: 'goPipelines' },
  { path: '/alerts', icon: 'bell', name: 'alerts', action: 'goAlerts' },
  { path: '/console', icon: 'console', name: 'console', action: 'goConsole' },
  { path: '/settings', icon: 'settings', name: 'settings', action: 'goSettings' },
];

/** Whether an address belongs to a page. */
export function within(at: string, path: string): boolean {
  return at === path || at.startsWith(`${path}/`) || (path === '/explore' && (at === '/' || at === '/e'));
}

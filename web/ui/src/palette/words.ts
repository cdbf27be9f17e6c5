const en = {
  title: 'Go to, do, open',
  placeholder: 'A page, a dashboard, a saved search, a command',
  nothing: 'Nothing matches',
  groups: {
    page: 'Pages',
    command: 'Commands',
    dashboard: 'Dashboards',
    search: 'Saved searches',
    recent: 'Recent searches',
  } as Record<string, string>,
  theme: 'Switch the theme',
  language: '한국어로 보기',
  keys: 'Keyboard',
  live: 'Follow live',
  errors: 'Errors of the last hour',
  newDashboard: 'New dashboard',
  start: 'Getting started',
  searchFor: (text: string) => `Search for “${text}”`,
};

const ko: typeof en = {
  title: '이동, 실행, 열기',
  placeholder: '화면, 대시보드, 저장한 검색, 명령',
  nothing: '일치하는 것이 없습니다',
  groups: { page: '화면', command: '명령', dashboard: '대시보드', search: '저장한 검색', recent: '최근 검색' },
  theme: '테마 바꾸기',
  language: 'Switch to English',
  keys: '키보드',
  live: '실시간 보기',
  errors: '지난 1시간의 오류',
  newDashboard: '새 대시보드',
  start: '시작하기',
  searchFor: (text) => `검색: “${text}”`,
};

export const words = { en, ko };

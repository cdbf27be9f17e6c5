// Line icons on a 24 unit grid, stroke 1.75 (shapes after lucide, ISC). A name without a path does not compile.

const paths = {
  search: 'm21 21-4.3-4.3M11 19a8 8 0 1 0 0-16 8 8 0 0 0 0 16Z',
  explore: 'M4 6h16M4 11h10M4 16h13M4 21h7',
  flow: 'M3 6h5c5 0 4 6 9 6h4M3 12h5c4 0 4 6 8 6h5M3 18h3',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 2v2M12 20v2m-7-17 1.4 1.4M17.6 17.6 19 19M2 12h2M20 12h2M5 19l1.4-1.4M17.6 6.4 19 5',
  moon: 'M20.4 14.6A8.5 8.5 0 1 1 9.4 3.6a6.8 6.8 0 0 0 11 11Z',
  keyboard: 'M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M17.5 10h.01M7 14h10',
  panel: 'M3 4h18v16H3zM9 4v16',
  play: 'M7 4v16l13-8z',
  pause: 'M8 5v14M16 5v14',
  stop: 'M6 6h12v12H6z',
  refresh: 'M20 11A8 8 0 0 0 5.6 6.4L3 9M3 4v5h5M4 13a8 8 0 0 0 14.4 4.6L21 15M21 20v-5h-5',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5l3 2',
  down: 'm6 9 6 6 6-6',
  up: 'm6 15 6-6 6 6',
  right: 'm9 6 6 6-6 6',
  left: 'm15 6-6 6 6 6',
  close: 'M18 6 6 18M6 6l12 12',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  plusCircle: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 8v8M8 12h8',
  minusCircle: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM8 12h8',
  copy: 'M9 9h12v12H9zM5 15H3V3h12v2',
  link: 'M10 14a4.5 4.5 0 0 0 6.4 0l3-3A4.5 4.5 0 0 0 13 4.6l-1 1M14 10a4.5 4.5 0 0 0-6.4 0l-3 3A4.5 4.5 0 0 0 11 19.4l1-1',
  context: 'M4 5h16M4 9h16M8 13h12M4 17h16M4 21h16M4 12l2 1-2 1',
  column: 'M4 4h16v16H4zM12 4v16',
  wrap: 'M3 6h18M3 12h14a3.5 3.5 0 0 1 0 7h-4m2.5-2.5L13 19l2.5 2.5M3 18h6',
  density: 'M4 5h16M4 10h16M4 15h16M4 20h16',
  filter: 'M3 5h18l-7 8.5V20l-4-2v-4.5z',
  check: 'm5 12 5 5L20 7',
  bolt: 'M13 2 4 14h7l-1 8 9-12h-7z',
  arrowDown: 'M12 4v16m-6-6 6 6 6-6',
  warning: 'M12 3 2 20h20zM12 10v4M12 17h.01',
  zoomOut: 'm21 21-4.3-4.3M11 19a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM8 11h6',
  fold: 'm7 20 5-5 5 5M7 4l5 5 5-5',
  dashboards: 'M4 4h7v9H4zM13 4h7v5h-7zM13 11h7v9h-7zM4 15h7v5H4z',
  bell: 'M6 17V11a6 6 0 0 1 12 0v6l2 2H4zM10 21h4',
  settings:
    'M4 7h9M17 7h3M4 17h3M11 17h9M15 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM9 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z',
  pipelines: 'M3 5h6v6H3zM15 13h6v6h-6zM9 8h3a3 3 0 0 1 3 3v5',
  console: 'M3 5h18v14H3zM7 9l3 3-3 3M12.5 15H17',
  star: 'm12 3 2.8 5.9 6.2.9-4.5 4.5 1 6.4L12 17.6l-5.5 3.1 1-6.4L3 9.8l6.2-.9z',
  download: 'M12 4v12m-5-5 5 5 5-5M4 20h16',
  upload: 'M12 20V8m-5 5 5-5 5 5M4 4h16',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13',
  edit: 'M4 20h4L19 9l-4-4L4 16zM13 7l4 4',
  expand: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5',
  move: 'M8 6h.01M8 12h.01M8 18h.01M16 6h.01M16 12h.01M16 18h.01',
  table: 'M3 5h18v14H3zM3 10h18M9 10v9',
  pin: 'M9 3h6l-1 7 3 3H7l3-3zM12 13v8',
  route: 'M6 19a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM18 9a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM8 17h6a4 4 0 0 0 4-4V9',
  save: 'M5 4h11l4 4v12H5zM8 4v5h7V4M8 20v-6h8v6',
  mute: 'M6 17V11a6 6 0 0 1 9-5.2M18 11v6l2 2H4M10 21h4M4 4l16 16',
  file: 'M6 2h8l5 5v15H6zM14 2v6h5',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={1.75}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={paths[name]} />
    </svg>
  );
}

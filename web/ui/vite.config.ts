import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// Everything is addressed relative to <base href>, which the server writes, so that one build serves any base path.
// The build must be the same byte for byte wherever it is made: it is committed, and checked by building it again.
export default defineConfig({
  base: './',
  plugins: [react()],
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    target: 'es2022',
    sourcemap: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      '/weir': { target: process.env.WEIR_URL ?? 'http://127.0.0.1:5602', ws: true },
    },
  },
  test: {
    environment: 'happy-dom',
    include: ['test/**/*.test.{ts,tsx}'],
    css: false,
  },
});

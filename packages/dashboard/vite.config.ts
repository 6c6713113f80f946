import { defineConfig } from 'vite';
import { SOURCES } from '../../scripts/entries.mjs';

export default defineConfig({
  // It is served below any path, behind whatever proxy.
  base: './',
  resolve: {
    alias: [...SOURCES].map(([find, replacement]) => ({
      find: new RegExp(`^${find}$`),
      replacement,
    })),
  },
  build: {
    // The policy of the page's server allows neither inline scripts nor what a polyfill would add.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    cssCodeSplit: false,
  },
});

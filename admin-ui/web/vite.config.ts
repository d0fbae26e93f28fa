import { defineConfig } from 'vite';

// Relative asset paths: the dashboard works wherever it is mounted. Nothing is inlined, because the content security policy
// allows neither inline script nor style, nor data: URLs.
export default defineConfig({
  base: './',
  build: {
    target: 'es2022',
    // Slower than the default and 4 % smaller: there is a budget (scripts/size.mjs).
    minify: 'terser',
    terserOptions: { module: true, ecma: 2020, compress: { passes: 3 } },
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    reportCompressedSize: false,
    rollupOptions: {
      output: {
        entryFileNames: 'assets/app-[hash].js',
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
});

import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const noStringStyle = {
  selector: "JSXAttribute[name.name='style'] Literal",
  message: 'Set styles through an object (the CSS object model); the content security policy forbids style attributes.',
};
const noInnerHtml = {
  selector: "MemberExpression[property.name=/^(innerHTML|outerHTML|insertAdjacentHTML)$/], JSXAttribute[name.name='dangerouslySetInnerHTML']",
  message: 'Text only: what came over the wire must never become markup.',
};

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'src/api/schema.d.ts'] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    rules: {
      'no-restricted-syntax': ['error', noInnerHtml, { ...noStringStyle, selector: "JSXAttribute[name.name='style'] > Literal" }],
      '@typescript-eslint/consistent-type-imports': ['error', { prefer: 'type-imports' }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['**/*.mjs', '*.js'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly', setTimeout: 'readonly', setInterval: 'readonly', document: 'readonly', clearTimeout: 'readonly', fetch: 'readonly', clearInterval: 'readonly', Buffer: 'readonly' } },
  },
);

import { setNonce } from 'get-nonce';
import { createRoot } from 'react-dom/client';
import './theme/tokens.css';
import './theme/base.css';
import { App } from './app';

// The only styles made at run time are those of the scroll lock behind dialogs; they carry the nonce of this answer.
const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content;
if (nonce) setNonce(nonce);

const root = document.getElementById('root');
if (root) createRoot(root).render(<App />);

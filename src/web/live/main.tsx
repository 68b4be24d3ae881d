import '../shared/base.css';
import '../shared/page.css';
import './live.css';
import { render } from 'preact';
import { LivePage } from './live-page.js';

const root = document.getElementById('app');
if (root) render(<LivePage />, root);

import '../shared/base.css';
import '../shared/page.css';
import './organize.css';
import { render } from 'preact';
import { OrganizePage } from './organize-page.js';

const root = document.getElementById('app');
if (root) render(<OrganizePage />, root);

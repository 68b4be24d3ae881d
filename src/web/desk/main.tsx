import '../shared/base.css';
import '../shared/page.css';
import './desk.css';
import { render } from 'preact';
import { DeskPage } from './desk-page.js';

const root = document.getElementById('app');
if (root) render(<DeskPage />, root);

import '../shared/base.css';
import './screen.css';
import { render } from 'preact';
import { ScreenPage } from './screen-page.js';

const root = document.getElementById('app');
if (root) render(<ScreenPage />, root);

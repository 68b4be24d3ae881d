import '../shared/base.css';
import './home.css';
import { render } from 'preact';
import { Home } from './home.js';

const root = document.getElementById('app');
if (root) render(<Home />, root);

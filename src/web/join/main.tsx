import '../shared/base.css';
import './join.css';
import { render } from 'preact';
import { JoinPage } from './join-page.js';

const root = document.getElementById('app');
if (root) render(<JoinPage />, root);

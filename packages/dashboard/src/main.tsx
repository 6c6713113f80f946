import { render } from 'preact';
import { App } from './shell/app.js';
import { followKeys } from './shell/keys.js';
import { startPage } from './state/page.js';
import { followAddress } from './state/route.js';
import { followTheme } from './state/theme.js';
import './styles/colours.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/tables.css';
import './styles/panel.css';
import './styles/forms.css';
import './overview/overview.css';
import './timeline/timeline.css';
import './calls/calls.css';
import './events/events.css';
import './tools/tools.css';
import './checks/checks.css';
import './palette/palette.css';

followTheme();
followAddress();
followKeys();
startPage();

const page = document.querySelector('#page');
if (page !== null) render(<App />, page);

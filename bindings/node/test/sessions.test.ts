import { sessions } from '../../js/test/stories/sessions.js';
import { tell } from './stories.js';

tell(sessions);

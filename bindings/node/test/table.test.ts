import { table } from '../../js/test/stories/table.js';
import { tell } from './stories.js';

tell(table);

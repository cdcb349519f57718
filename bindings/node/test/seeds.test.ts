import { seeds } from '../../js/test/stories/seeds.js';
import { tell } from './stories.js';

tell(seeds);

import type { Case } from '../case.js';
import { images } from './images.js';
import { messages } from './messages.js';
import { strangers } from './strangers.js';

/** Every case, by area. */
export const cases: readonly Case[] = [...images, ...messages, ...strangers];

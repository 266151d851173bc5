/** The catalogue that the page reads from. */

import { en, type Words } from "./en";

export { join, percent, radius } from "./en";
export const words: Words = en;

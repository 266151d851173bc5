/** Every sentence of the lessons, in Japanese. */

import { algorithm } from "./algorithm";
import { fooled } from "./fooled";
import { gradient } from "./gradient";
import { interfaceWords } from "./interface";
import { maps } from "./maps";
import { norms } from "./norms";
import { pieces } from "./pieces";
import { texture } from "./texture";
import { training } from "./training";
import { trust } from "./trust";

export const lessonsJa = {
  ...interfaceWords,
  ...pieces,
  lessons: { fooled, gradient, training, norms, algorithm, maps, texture, trust },
};

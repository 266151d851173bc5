/** Titles of the pictures that come with the page, in Japanese. */

const PHOTOS: Record<string, string> = {
  Coffee: "コーヒー",
  Cat: "猫",
  Rocket: "ロケット",
  Motorcycle: "バイク",
  Astronaut: "宇宙飛行士",
};

const TEXTURES: Record<string, string> = {
  stripes: "しま模様",
  dots: "水玉模様",
  marble: "大理石模様",
  wood: "木目",
  bricks: "れんが模様",
  weave: "編み目模様",
  zigzag: "ジグザグ模様",
  honeycomb: "ハニカム模様",
  scales: "うろこ模様",
  checks: "市松模様",
};

export function textureJa(texture: string): string {
  return TEXTURES[texture] ?? texture;
}

/** A shape is a class, so its name stays. */
export function sceneJa(shape: string, texture: string): string {
  return `${textureJa(texture)}の${shape}`;
}

/** A title that the page does not know, as that of one's own file, stays. */
export function pictureJa(title: string): string {
  const [shape, texture] = title.split(", covered in ");
  return texture ? sceneJa(shape, texture) : (PHOTOS[title] ?? title);
}

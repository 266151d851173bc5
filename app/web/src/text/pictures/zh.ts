/** Titles of the pictures that come with the page, in simplified Chinese. */

const PHOTOS: Record<string, string> = {
  Coffee: "咖啡",
  Cat: "猫",
  Rocket: "火箭",
  Motorcycle: "摩托车",
  Astronaut: "宇航员",
};

const TEXTURES: Record<string, string> = {
  stripes: "条纹",
  dots: "圆点",
  marble: "大理石纹",
  wood: "木纹",
  bricks: "砖纹",
  weave: "编织纹",
  zigzag: "锯齿纹",
  honeycomb: "蜂窝纹",
  scales: "鳞片纹",
  checks: "格子纹",
};

export function textureZh(texture: string): string {
  return TEXTURES[texture] ?? texture;
}

/** A shape is a class, so its name stays. */
export function sceneZh(shape: string, texture: string): string {
  return `${textureZh(texture)}的 ${shape}`;
}

/** A title that the page does not know, as that of a person's own file, stays. */
export function pictureZh(title: string): string {
  const [shape, texture] = title.split(", covered in ");
  return texture ? sceneZh(shape, texture) : (PHOTOS[title] ?? title);
}

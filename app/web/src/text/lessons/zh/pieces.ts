import { join, percent } from "../../format";
import { sceneZh, textureZh } from "../../pictures/zh";

/** Of the live parts of the lessons. */
export const pieces = {
  strength: "强度 ε（级）",
  network: "网络",
  asking: "网络正在计算。",
  stillShown: "变淡的是它之前的回答。",
  answer: (name: string, share: number) => `回答：${name}，${percent(share)}`,
  scene: sceneZh,
  mapAlt: (title: string, place: string) => `热力图，${title.replace(/。$/, "")}：${place}。`,
  mapScale: {
    least: "不起作用",
    most: "最重要",
    shared: "所有热力图共用一个色标。",
    own: "每张热力图有自己的色标。",
  },
  faint: (branches: readonly string[]) =>
    `在这个色标上几乎是空的：${join(branches)}。并没有出错：和别的相比，这些数值很小。`,
  explained: (branch: string, name: string, share: number) =>
    `两张热力图解释的是 ${branch} 的同一个回答：${name}，${percent(share)}。`,
  agreement: (correlation: string) => `它们有多一致，从 −1 到 1（秩相关）：${correlation}。`,
  eightPixels: {
    pixel: (place: number) => `像素 ${place}`,
    weight: "权重",
    move: ["调暗 0.2", "保持原样", "调亮 0.2"],
    says: (score: string, sure: string, before: string) =>
      `得分是 ${score}：有 ${sure} 的把握是“船”。一开始是 ${before}。`,
    fooled: "网络不再回答“船”了。",
    fgsm: "替我移动全部八个",
    back: "重新开始",
  },
  digit: {
    model: "模型",
    modelAbout: "攻击针对的是你选的模型。",
    models: { natural: "普通", robust: "鲁棒" },
    alt: (digit: number) => `手写数字 ${digit}`,
    attackedAlt: (digit: number, epsilon: string) =>
      `同一个数字 ${digit}，经过 ε = ${epsilon} 的 FGSM`,
    says: (digit: number, isRight: boolean) => `模型回答 ${digit}：${isRight ? "对" : "错"}。`,
    weights: "权重",
    scale: { least: "支持 3", most: "支持 7", about: "白色是 0。" },
    weightsAlt: "模型对每个像素的权重",
    strength: "强度 ε",
    strengthAbout: (epsilon: string) => `每个像素最多改变 ${epsilon}，并且始终在 0 和 1 之间。`,
    choose: "数字",
    numbered: (place: number, digit: number) => `第 ${place} 个数字，是 ${digit}`,
    share: (model: string, share: string, count: number, epsilon: string) =>
      `${model}模型：ε = ${epsilon} 时，在 ${count} 个数字中答对 ${share}。`,
    errors: (epsilon: string) => `答对率与 FGSM 强度 ε 的关系。竖线处 ε = ${epsilon}。`,
    point: (model: string, clean: string, attacked: string, epsilon: string) =>
      `${model}：干净数字答对 ${clean}，ε = ${epsilon} 时答对 ${attacked}`,
  },
  runningMeans: {
    about: "每批八个 7 的均值，以及归一化层记着的滑动均值。",
    alt: "干净批次和受攻击批次交替出现，显示各批次的均值，以及它们之间的滑动均值",
    one: (running: string) => `一个归一化层：它的滑动均值在 ${running}。`,
    two: (main: string, aux: string) =>
      `两个归一化层：干净批次的滑动均值在 ${main}，受攻击批次的在 ${aux}。`,
    step: "下一批",
    again: "重新播放",
    twin: "每种图片各用一个归一化层",
    valueAxis: "得分的均值",
    batchAxis: "批次",
    dots: ["干净批次", "受攻击批次"],
    line: "两种批次的滑动均值",
    lines: ["main 的滑动均值，只算干净批次", "aux 的滑动均值，只算受攻击批次"],
  },
  twoNetworks: {
    titles: ["第一个：只见过干净场景", "第二个：两种都见过"],
    against: ["针对第一个网络的攻击", "针对第二个网络的攻击"],
  },
  algorithm: {
    names: [
      "取一张干净图片。",
      "通过 aux 攻击它。",
      "把干净图片给 main 看。",
      "把受攻击的图片给 aux 看。",
      "把两个损失加起来。",
      "走一步。",
    ],
    steps: (right: string, clean: string, adversarial: string) => [
      `训练时它带着正确的类别：${right}。`,
      "第 1 课的攻击 PGD，以强度 4/255 沿着 **aux** 的梯度走。它只改变图片，不改变网络。",
      `损失是 ${clean}。训练时，**main** 的归一化层这时更新滑动均值和方差。`,
      `损失是 ${adversarial}。训练时，**aux** 的归一化层这时更新它们自己的。`,
      `${clean} + ${adversarial}：合成一个数。`,
      "所有权重都移动一点点，让总损失变小。共享权重跟着两个损失走，每个分支的归一化层只跟着自己那个损失走。",
    ],
    loss: (loss: string) => `损失 ${loss}`,
    notYet: "还没有生成",
    next: "做下一步",
    again: "重新开始",
  },
  conflicts: {
    alt: (shape: string, texture: string) => `轮廓是 ${shape}，纹理是${textureZh(texture)}`,
    caption: (shape: string, texture: string, other: string) =>
      `轮廓：${shape}。纹理：${textureZh(texture)}，它属于 ${other}。`,
    tally: (count: number) => `对 ${count} 个场景的回答`,
    network: "网络",
    here: "回答",
    kinds: { shape: "轮廓", texture: "纹理", neither: "都不是" },
    candidates: ["普通", "AdvProp，main", "AdvProp，aux"],
    next: "下一个场景",
    all: (count: number) => `${count} 个全部问一遍`,
  },
  shuffled: {
    layers: "打乱几个归一化层",
    about: "从最后一层开始。一层要找好几样东西，每样都有自己的数；这些数被互相调换。",
    whole: "学好的样子",
    broken: (layers: number) => `打乱 ${layers} 层`,
    says: (share: string, name: string, correlation: string) =>
      `两张热力图解释的都是 ${name}；打乱以后，网络给它 ${share}。两张图有多一致，从 −1 到 1（秩相关）：${correlation}。`,
  },
  chance: {
    trueLabels: "用真标签学习",
    randomLabels: "用随机标签学习",
    right: (share: string, count: number) => `在 ${count} 个新数字中答对 ${share}。`,
    input: "数字",
    weights: "权重",
    product: "输入 × 权重",
    agreement: (weights: string, products: string) =>
      `两个模型的图有多像，从 −1 到 1（绝对值的秩相关）：权重 ${weights}，输入 × 权重 ${products}。`,
    otherLabels: "换一组随机标签",
    otherDigit: "换一个数字",
    half: ["前一半学出的权重。", "后一半学出的权重。"],
    halves: (correlation: string) =>
      `两个模型权重的绝对值有多像，从 −1 到 1（秩相关）：${correlation}。`,
    otherHalves: "换一种分法",
  },
};

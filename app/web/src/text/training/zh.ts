/** Of the network that is trained in the page, in simplified Chinese. */

import { distance, number, percent, radius } from "../format";

const OBJECTIVES = {
  advprop: "AdvProp",
  mixed: "一个 BatchNorm",
  vanilla: "普通训练（vanilla）",
} as const;
type Objective = keyof typeof OBJECTIVES;

/** How far two kinds are apart. */
const apart = (gap: number) =>
  `相差的距离，是同一种的数值通常离均值距离（标准差）的 ${distance(gap)} 倍`;

export const trainingZh = {
  title: "在这里训练一个网络",
  about: "一个很小的网络在这台设备上学习十种绘制的形状。它从随机权重开始，每一步看 64 张小图片。",
  objective: "怎样学习",
  objectives: OBJECTIVES,
  objectiveAbout: {
    advprop: "干净图片经过 main，受攻击的图片经过 aux，各有自己的 BatchNorm。",
    mixed: "干净图片和受攻击的图片一起经过同一个 BatchNorm。",
    vanilla: "只看干净图片，经过一个 BatchNorm。",
  } satisfies Record<Objective, string>,
  epsilon: "攻击强度 ε",
  epsilonUnit: "单位 1/255",
  epsilonAbout: {
    advprop: "训练时的攻击和测量时的攻击，都用这个强度。",
    mixed: "训练时的攻击和测量时的攻击，都用这个强度。",
    vanilla: "测量时的攻击用这个强度。",
  } satisfies Record<Objective, string>,
  seed: "随机种子",
  seedAbout: "它决定一切随机的东西。在这台设备上，种子相同，训练过程就完全相同。",
  start: "开始训练",
  startAgain: "重新开始",
  pause: "暂停训练",
  continue: "继续",
  duration: "在笔记本电脑上约一分钟，在手机上要久一些。",
  preparing: "正在准备",
  step: (step: number, steps: number) => `第 ${step} 步，共 ${steps} 步`,

  // What is found
  ofOtherRun: (objective: Objective, epsilon: number, seed: number) =>
    `你改了选择。变淡的是上一次训练的结果：${OBJECTIVES[objective]}，ε = ${radius(epsilon, "linf")}，种子 ${seed}。重新开始，就能看到新的。`,
  idle: "还没有开始训练。",
  started: "它的回答全凭偶然：十张里对一张。",
  standing: (clean: number, adversarial: number) =>
    `干净图片答对 ${percent(clean)}，受攻击的图片答对 ${percent(adversarial)}。`,
  accuracy: "答对率",
  accuracyAxis: "答对的比例",
  accuracyAbout: (count: number) =>
    `在 ${count} 张没有用来学习的图片上。每个分支受到的，都是通过它自己的一步攻击。只有 200 张图片时，相差几个百分点只是偶然。`,
  loss: "损失",
  lossAbout: "对训练图片的回答错得多厉害，每五步取平均。0 最好；全凭瞎猜的网络是 2.3。",
  clean: "干净图片",
  adversarial: "受攻击的图片",
  line: (branch: string, kind: string, value: string) => `${branch}，${kind}：${value}`,
  percent,
  lossValue: (value: number) => number(value, 2),
  stepAxis: "步",

  // The norm layers
  statistics: "归一化层记着什么",
  statisticsAbout:
    "一个通道（channel）就是这一层要找的一样东西。归一化层给每个通道记着滑动均值，还有滑动方差：数值散得多开。",
  layer: "层",
  layerNames: ["第一层", "第二层", "第三层"],
  quantity: "记着",
  quantities: { mean: "均值", variance: "方差" },
  channel: "通道",
  widest: "相差最大的通道",
  channels: "通道",
  channelNumber: (channel: number) => `通道 ${channel}`,
  overTime: (channel: number) => `通道 ${channel}，一步一步看`,
  allChannels: "这一层现在的所有通道",
  allChannelsAbout:
    "每一竖从干净图片的值画到受攻击的图片的值。点图上任意处，或用方向键，可以选择通道。",
  kept: (branch: string) => `${branch} 记着的`,
  alone: (kind: string) => `只算${kind}`,
  keeps: (branch: string, value: string) => `${branch} 记着 ${value}`,
  passes: (kind: string, value: string) => `只算${kind}：${value}`,
  statisticValue: (value: number) => number(value, 2),
  gap: {
    advprop: (gap: number) =>
      `在这个通道里，main 处理干净图片得到的数值，和 aux 处理受攻击的图片得到的数值，${apart(gap)}。图片本身的不同只起很小的作用：每个分支还在每个归一化层里学习自己的 γ 和 β。`,
    mixed: (gap: number) =>
      `在这个通道里，干净图片和受攻击的图片${apart(gap)}。这一个 BatchNorm 记着两者之间的一个值。请和 AdvProp 比较：那里每种图片有自己的 γ 和 β。`,
    vanilla: () => "它只看干净图片，所以只有一条线。",
  } satisfies Record<Objective, (gap: number) => string>,
  firstLayer: "在第一层，两者很接近：它前面没有 γ 和 β，而攻击把颜色值改大和改小的次数差不多。",
  small:
    "在大网络里，两种图片共用一个 BatchNorm 可能会少答对一些。在这么小的网络里，两种图片相差很少，它和 AdvProp 答得一样好。",

  // In the lab
  use: "拿到实验室去用",
  useAbout: "在实验室里可以攻击它、画它的热力图、转它的旋钮。关闭或刷新此页之前，它一直都在。",
  networkTitle: (number: number, objective: Objective) =>
    `在此训练的网络 ${number}：${OBJECTIVES[objective]}`,
  networkAbout: (objective: Objective, epsilon: number, step: number, seed: number) =>
    `你在这里训练的小网络：${OBJECTIVES[objective]}，ε = ${radius(epsilon, "linf")}，${step} 步，种子 ${seed}`,
};

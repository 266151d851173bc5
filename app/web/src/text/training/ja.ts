/** Of the network that is trained in the page, in Japanese. */

import type { Objective } from "../../manifest";
import { distance, number, percent, radius } from "../format";
import type { Translated } from "../translated";
import type { trainingEn } from "./en";

const OBJECTIVES: Record<Objective, string> = {
  advprop: "AdvProp",
  mixed: "1つのBatchNorm",
  vanilla: "通常（vanilla）",
};

/** How far two kinds are apart. */
function apart(gap: number): string {
  return `1つの種類の値がふだん平均から離れている距離（標準偏差）の${distance(gap)}倍`;
}

export const trainingJa: Translated<typeof trainingEn> = {
  title: "ここでネットワークを訓練する",
  about:
    "とても小さなネットワークが、描いた図形10種類を、この端末で学習します。ランダムな重みから始めます。1ステップごとに、小さな画像を64枚見せます。",
  objective: "学習のしかた",
  objectives: OBJECTIVES,
  objectiveAbout: {
    advprop:
      "クリーンな画像はmainを、攻撃された画像はauxを通ります。どちらにも専用のBatchNormがあります。",
    mixed: "クリーンな画像と攻撃された画像が、いっしょに1つのBatchNormを通ります。",
    vanilla: "クリーンな画像だけを見ます。BatchNormは1つです。",
  },
  epsilon: "攻撃の強さε",
  epsilonUnit: "1/255単位",
  epsilonAbout: {
    advprop: "学習に使う攻撃と、成績を測る攻撃の両方の強さです。",
    mixed: "学習に使う攻撃と、成績を測る攻撃の両方の強さです。",
    vanilla: "成績を測る攻撃の強さです。",
  },
  seed: "シード",
  seedAbout:
    "ランダムに決まるものすべてのもとです。同じシードなら、この端末では同じ訓練になります。",
  start: "訓練を始める",
  startAgain: "最初からやり直す",
  pause: "訓練を一時停止",
  continue: "続ける",
  duration: "ノートパソコンで約1分、スマートフォンではもう少しかかります。",
  preparing: "準備しています",
  step: (step: number, steps: number) => `ステップ${step}/${steps}`,

  // What is found
  ofOtherRun: (objective: Objective, epsilon: number, seed: number) =>
    `設定が変わりました。淡く見えるのは前の訓練の結果です：${OBJECTIVES[objective]}、ε = ${radius(epsilon, "linf")}、シード${seed}。新しい結果を見るには、もう一度始めてください。`,
  idle: "まだ何も訓練していません。",
  started: "まだでたらめに答えます。正解は10枚に1枚です。",
  standing: (clean: number, adversarial: number) =>
    `クリーンな画像の${percent(clean)}、攻撃された画像の${percent(adversarial)}に正解。`,
  accuracy: "正答率",
  accuracyAxis: "正解の割合",
  accuracyAbout: (count: number) =>
    `学習に使わない${count}枚の画像で測ります。どのブランチも、自分自身を通して、1ステップで攻撃します。200枚では、数ポイントの差は偶然のうちです。`,
  loss: "損失",
  lossAbout:
    "訓練用の画像で、答えがどれだけ間違っているかを、5ステップごとに平均した数です。0が最良で、でたらめに答えるネットワークでは2.3になります。",
  clean: "クリーン",
  adversarial: "攻撃あり",
  line: (branch: string, kind: string, value: string) => `${branch}、${kind}：${value}`,
  percent,
  lossValue: (value: number) => number(value, 2),
  stepAxis: "ステップ",

  // The norm layers
  statistics: "正規化層が記録するもの",
  statisticsAbout:
    "チャンネルとは、層が探すものの1つです。正規化層は、チャンネルごとに移動平均と、値の散らばりを表す移動分散を記録します。",
  layer: "層",
  layerNames: ["1つ目", "2つ目", "3つ目"],
  quantity: "記録する値",
  quantities: { mean: "平均", variance: "分散" },
  channel: "チャンネル",
  widest: "差が最も大きいもの",
  channels: "チャンネル",
  channelNumber: (channel: number) => `チャンネル${channel}`,
  overTime: (channel: number) => `チャンネル${channel}の移り変わり`,
  allChannels: "この層のすべてのチャンネル（現在）",
  allChannelsAbout:
    "縦の線は、クリーンな画像の値から攻撃された画像の値までです。グラフに触れるか矢印キーを使うと、チャンネルを選べます。",
  kept: (branch: string) => `${branch}の記録`,
  alone: (kind: string) => `${kind}の画像だけ`,
  keeps: (branch: string, value: string) => `${branch}の記録：${value}`,
  passes: (kind: string, value: string) => `${kind}の画像だけ：${value}`,
  statisticValue: (value: number) => number(value, 2),
  gap: {
    advprop: (gap: number) =>
      `このチャンネルでは、mainがクリーンな画像から作る値と、auxが攻撃された画像から作る値が、${apart(gap)}離れています。画像の違いだけなら、差はわずかです。どの正規化層でも、各ブランチが自分のγとβを学習するので、差が開きます。`,
    mixed: (gap: number) =>
      `このチャンネルでは、クリーンな画像と攻撃された画像が、${apart(gap)}離れています。1つのBatchNormは、その間の値を記録します。種類ごとに自分のγとβを持つAdvPropと比べてみましょう。`,
    vanilla: () => "クリーンな画像だけを見るので、線は1本です。",
  },
  firstLayer:
    "1つ目の層では、差は小さくなります。その前にγもβもなく、攻撃は画素値を上げることも下げることも同じくらい多いからです。",
  small:
    "大きなネットワークでは、BatchNormを1つにすると、正解が減ることがあります。これほど小さなネットワークでは、2種類の違いは小さく、AdvPropと同じくらい正解します。",

  // In the lab
  use: "ラボで使う",
  useAbout:
    "ラボで、攻撃し、マップを描き、ダイヤルを回せます。このページを閉じるか読み込み直すと消えます。",
  networkTitle: (number: number, objective: Objective) =>
    `ここで訓練${number}：${OBJECTIVES[objective]}`,
  networkAbout: (objective: Objective, epsilon: number, step: number, seed: number) =>
    `あなたがここで訓練した、とても小さなネットワーク：${OBJECTIVES[objective]}、ε = ${radius(epsilon, "linf")}、${step}ステップ、シード${seed}`,
};

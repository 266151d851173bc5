import { join, percent } from "../../format";
import { sceneJa, textureJa } from "../../pictures/ja";
import type { Translated } from "../../translated";
import type { pieces as english } from "../en/pieces";

/** Of the live parts of the lessons. */
export const pieces: Translated<typeof english> = {
  strength: "強さε（段階）",
  network: "ネットワーク",
  asking: "ネットワークが計算しています。",
  stillShown: "淡く見えるのは、変える前の答えです。",
  answer: (name: string, share: number) => `答え：${name}、${percent(share)}`,
  scene: sceneJa,
  mapAlt: (title: string, place: string) => `マップ、${title}：${place}。`,
  mapScale: {
    least: "効かない",
    most: "最もよく効く",
    shared: "色の尺度は、すべてのマップで共通です。",
    own: "色の尺度は、マップごとに違います。",
  },
  faint: (branches: readonly string[]) =>
    `この尺度では、ほとんど空に見えます：${join(branches)}。失敗ではありません。ほかと比べて、値が小さいのです。`,
  explained: (branch: string, name: string, share: number) =>
    `どちらのマップも、${branch}の同じ答えを説明します：${name}、${percent(share)}。`,
  agreement: (correlation: string) => `どれだけ一致するか、−1から1で（順位相関）：${correlation}。`,
  eightPixels: {
    pixel: (place: number) => `画素${place}`,
    weight: "重み",
    move: ["0.2だけ暗く", "元のまま", "0.2だけ明るく"],
    says: (score: string, sure: string, before: string) =>
      `スコアは${score}、「boat」の確率は${sure}です。最初は${before}でした。`,
    fooled: "ネットワークは、もう「boat」と答えません。",
    fgsm: "8つすべてを自動で動かす",
    back: "最初に戻す",
  },
  digit: {
    model: "モデル",
    modelAbout: "攻撃は、選んだモデルを通して作ります。",
    models: { natural: "通常", robust: "頑健" },
    alt: (digit: number) => `手書きの${digit}`,
    attackedAlt: (digit: number, epsilon: string) =>
      `同じ${digit}を、ε = ${epsilon}のFGSMで変えたもの`,
    says: (digit: number, isRight: boolean) =>
      `モデルの答えは${digit}、${isRight ? "正解" : "不正解"}です。`,
    weights: "重み",
    scale: { least: "3の証拠", most: "7の証拠", about: "白は0です。" },
    weightsAlt: "画素ごとの、モデルの重み",
    strength: "強さε",
    strengthAbout: (epsilon: string) =>
      `どの画素も最大${epsilon}しか動かず、0から1の範囲に収まります。`,
    choose: "数字",
    numbered: (place: number, digit: number) => `${place}番目の数字、${digit}`,
    share: (model: string, share: string, count: number, epsilon: string) =>
      `${model}のモデル：ε = ${epsilon}のとき、数字${count}個のうち${share}に正解。`,
    errors: (epsilon: string) => `FGSMの強さεと正答率。縦の線は、ε = ${epsilon}のところです。`,
    point: (model: string, clean: string, attacked: string, epsilon: string) =>
      `${model}：クリーンな数字で${clean}、ε = ${epsilon}で${attacked}`,
  },
  runningMeans: {
    about: "7を8枚ずつにしたバッチの平均と、正規化層が記録する移動平均です。",
    alt: "クリーンなバッチと攻撃されたバッチの平均が交互に並び、その間を移動平均が通る図",
    one: (running: string) => `正規化層が1つ：移動平均は${running}です。`,
    two: (main: string, aux: string) =>
      `正規化層が2つ：クリーンなバッチの移動平均は${main}、攻撃されたバッチの移動平均は${aux}です。`,
    step: "次のバッチ",
    again: "もう一度再生",
    twin: "種類ごとに正規化層を分ける",
    valueAxis: "スコアの平均",
    batchAxis: "バッチ",
    dots: ["クリーンなバッチ", "攻撃されたバッチ"],
    line: "両方の移動平均",
    lines: ["mainの移動平均（クリーンなバッチ）", "auxの移動平均（攻撃されたバッチ）"],
  },
  twoNetworks: {
    titles: ["1つ目：クリーンなシーンだけ", "2つ目：両方の種類"],
    against: ["1つ目のネットワークへの攻撃", "2つ目のネットワークへの攻撃"],
  },
  algorithm: {
    names: [
      "クリーンな画像を1枚取る。",
      "auxを通して攻撃する。",
      "クリーンな画像をmainに見せる。",
      "攻撃された画像をauxに見せる。",
      "2つの損失を足す。",
      "1歩進める。",
    ],
    steps: (right: string, clean: string, adversarial: string) => [
      `訓練では、正解のクラスといっしょに取ります。正解は「${right}」です。`,
      "レッスン1の攻撃PGDが、4/255の強さで、**aux**の勾配に沿って進みます。変わるのは画像だけで、ネットワークは変わりません。",
      `損失は${clean}です。訓練では、ここで**main**の正規化層の移動平均と分散が動きます。`,
      `損失は${adversarial}です。訓練では、ここで**aux**の正規化層のものが動きます。`,
      `${clean} + ${adversarial}：2つで1つの数になります。`,
      "和が小さくなるように、すべての重みが少し動きます。共有の重みには、両方の損失が効きます。各ブランチの正規化層には、そのブランチの損失だけが効きます。",
    ],
    loss: (loss: string) => `損失 ${loss}`,
    notYet: "まだ作っていません",
    next: "次に進む",
    again: "最初に戻す",
  },
  conflicts: {
    alt: (shape: string, texture: string) => `輪郭は${shape}、テクスチャは${textureJa(texture)}`,
    caption: (shape: string, texture: string, other: string) =>
      `輪郭：${shape}。テクスチャ：${textureJa(texture)}（本来は${other}のもの）。`,
    tally: (count: number) => `シーン${count}枚への答え`,
    network: "ネットワーク",
    here: "答え",
    kinds: { shape: "輪郭", texture: "テクスチャ", neither: "その他" },
    candidates: ["通常", "AdvProp、main", "AdvProp、aux"],
    next: "次のシーン",
    all: (count: number) => `${count}枚すべてに答えさせる`,
  },
  shuffled: {
    layers: "シャッフルする正規化層の数",
    about: "最後の層から順に。層は、探すものごとに数値を持っています。それを互いに入れ替えます。",
    whole: "学習したまま",
    broken: (layers: number) => `${layers}層をシャッフル`,
    says: (share: string, name: string, correlation: string) =>
      `どちらのマップも「${name}」を説明します。シャッフルしたネットワークでは、その確率は${share}です。マップがどれだけ一致するか、−1から1で（順位相関）：${correlation}。`,
  },
  chance: {
    trueLabels: "正しいラベルで学習",
    randomLabels: "でたらめなラベルで学習",
    right: (share: string, count: number) => `新しい数字${count}個のうち${share}に正解。`,
    input: "数字",
    weights: "重み",
    product: "入力×重み",
    agreement: (weights: string, products: string) =>
      `2つのモデルのマップがどれだけ似ているか、−1から1で（大きさの順位相関）：重みは${weights}、入力×重みは${products}。`,
    otherLabels: "別のでたらめなラベル",
    otherDigit: "別の数字",
    half: ["1つ目の半分で学んだ重み。", "2つ目の半分で学んだ重み。"],
    halves: (correlation: string) =>
      `2つのモデルの重みの大きさがどれだけ似ているか、−1から1で（順位相関）：${correlation}。`,
    otherHalves: "分け方を変える",
  },
};

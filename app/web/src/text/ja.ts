/** Every sentence of the page, in Japanese. Names of classes and networks stay English. */

import type { Settings } from "../manifest";
import type { Complaint, PagePart } from "../state";
import { join, percent, radius } from "./format";
import type { Words } from "./index";
import { lessonsJa } from "./lessons/ja";
import { pictureJa } from "./pictures/ja";
import { trainingJa } from "./training/ja";

const ATTACK_NAMES = { pgd: "PGD", fgsm: "FGSM", noise: "ノイズ", none: "なし" } as const;

/** How a branch came to be, by the short words of its file. */
const ORIGINS: Record<string, string> = {
  trained: "訓練済み",
  "norm layers only": "重みは同じ、正規化層だけを訓練",
  "statistics only": "重みは同じ、統計量だけを推定し直し",
  "copy of main": "mainのコピー",
};

export const ja: Words = {
  lessons: lessonsJa,
  training: trainingJa,

  // The header of every page
  doors: "ページの切り替え",
  lab: "ラボ",
  lessonsDoor: "レッスン",
  language: "言語",
  noLessons:
    "このページにはレッスンが入っていません。「advprop page --lessons」で、レッスン入りのページを作れます。",

  question: "2つのBatchNormは、この画像をどう見る？",
  introduction: [
    "1つのネットワークに、正規化層が2組あります。",
    "main",
    "はクリーンな画像用、",
    "aux",
    "は摂動を加えた画像用です。画像をほんの少し変えて、それぞれの答えを比べてみましょう。",
  ],
  glossaryTitle: "言葉の意味",
  glossary: [
    [
      "バッチ正規化（BatchNorm）、正規化層（norm layer）",
      "前の層の出力を、拡大・縮小（スケール）して、ずらす（シフト）層です。1つのネットワークに何十もあります。",
    ],
    [
      "ブランチ（branch）：main、aux",
      "同じネットワークを、別の組の正規化層で見たものです。mainの正規化層はクリーンな画像から、auxの正規化層はネットワークをだますように変えた画像から学習しました。ほかの重みはすべて共有しています。この訓練方法をAdvPropと呼びます。",
    ],
    [
      "クリーン（clean）、摂動（perturbation）",
      "何も変えていない画像を「クリーン」、画像に加える小さな変化を「摂動」と呼びます。",
    ],
    [
      "勾配（gradient）",
      "それぞれの画素値をどちらに動かせば、ネットワークが自分の答えに自信をなくすかを表します。",
    ],
    ["FGSM、PGD", "攻撃の方法です。FGSMは勾配に沿って1歩だけ、PGDは小さく何歩も進みます。"],
    [
      "ε、L∞、L2",
      "攻撃が画像をどこまで変えてよいかを表します。L∞は画素値の変化のうち最大のもので、1/255を単位にします。L2は変化全体の長さです。",
    ],
    [
      "Grad-CAM、顕著性（saliency）",
      "ブランチが答えを出すときに、画像のどこを見ているかを示すマップです。黄色いところほど重要です。手がかりであって、証拠ではありません。",
    ],
    ["英語のままの言葉", "クラスとネットワークの名前は、モデルに入っている英語のまま表示します。"],
  ],
  aboutNetwork: (about: string) =>
    `${about
      .replace(/\.$/, "")
      .replace(/, (\d+) class(es)?\b/, "、$1クラス")
      .replace(/, (\d+) × (\d+) pixels/, "、$1×$2ピクセル")}。`,

  // The verdict
  nothingChanged: "画像は変えていません",
  stillShown: "計算中です。前の結果を表示しています。",
  reached: (branches: readonly string[], name: string) =>
    `${join(branches)}の答えが、標的の「${name}」になりました。`,
  notReached: (branch: string, name: string, share: number) =>
    `標的には届きませんでした。${branch}が「${name}」に与える確率は${percent(share)}です。εを大きくすると届くかもしれません。`,
  notFooled: (branch: string) =>
    `この攻撃では${branch}の答えは変わりません。εを大きくすると変わるかもしれません。`,
  attackLine(settings: Settings): string {
    const { attack, norm, epsilon, attack_branch } = settings;
    if (attack === "none") return ja.nothingChanged;
    if (attack === "noise") return `ランダムなノイズ（${radius(epsilon, norm)}）`;
    return `${attack_branch}を通した${ATTACK_NAMES[attack]}（${radius(epsilon, norm)}）`;
  },
  towards: (name: string) => `、標的は「${name}」`,
  atStep: (step: number, steps: number) =>
    step ? `、${steps}ステップ中${step}ステップ後` : "、攻撃の出発点",
  says: (name: string, share: number) => `答えは「${name}」（${percent(share)}）`,
  stillSays: (name: string, before: number, after: number) =>
    `答えは「${name}」のまま（${percent(before)}\u00a0→\u00a0${percent(after)}）`,
  turns: (before: string, beforeShare: number, after: string, afterShare: number) =>
    `答えは「${before}」（${percent(beforeShare)}）→「${after}」（${percent(afterShare)}）`,

  // Pictures
  clean: "クリーン",
  perturbed: "摂動あり",
  truth: (name: string) => `正解：${name}。`,
  truthNone: "正解にあたるクラスは、このネットワークにありません。",
  truthUnknown: "正解はわかっていません。",
  change: "変化",
  amplified: (times: number) => `変化（${times}倍に拡大）`,
  noChange: "変化なし",
  cleanAlt: (title: string) => `クリーンな画像：${pictureJa(title)}`,
  perturbedAlt: (title: string, attack: string) =>
    `摂動ありの画像：${pictureJa(title)}。${attack}。`,
  changeAlt: (times: number, linf: number) =>
    `画素値ごとの変化を${times}倍に拡大したもの。最大で255段階のうち${linf}段階。`,
  save: "PNGで保存",
  saveHint: "摂動ありの画像をPNGで保存します。このページに戻して開くと、同じ答えになります。",
  fileName: (picture: string, settings: Settings) =>
    `${picture}-${settings.attack}-${radius(settings.epsilon, settings.norm)}-${settings.attack_branch}`
      .replace(/[^\p{L}\p{N}.]+/gu, "-")
      .replace(/-$/, ""),

  // Choosing a picture
  pictureTitle: pictureJa,
  choosePicture: "画像",
  openPicture: "画像を開く",
  camera: "ライブカメラ",
  pictureHint:
    "貼り付けても、ページのどこかにドロップしても開けます。画像がこの端末の外に出ることはありません。",
  dropHere: "ここに画像をドロップ",
  ownPicture: (number: number, title: string) => `あなたの画像${number}：${title}`,
  cut: (width: number, height: number, size: number) =>
    `あなたの画像は${width}×${height}ピクセルです。中央の正方形を切り取り、${size}×${size}にして使います。`,
  rightQuestion: "何が写っていますか？",
  rightUnsaid: "答えない",
  rightNone: "このネットワークのクラスにはない",
  ownTitle: "あなたの画像",
  cameraTitle: "カメラの画像",

  // Controls
  controls: "設定",
  network: "ネットワーク",
  attack: "画像の変え方",
  attackNames: ATTACK_NAMES,
  attackAbout: {
    pgd: "ランダムな点から出発し、勾配に沿って小さく何歩も進みます。",
    fgsm: "勾配に沿って1歩だけ進みます。",
    noise: "各画素値を、同じ限度の中でランダムに変えます。比較のためのものです。",
    none: "どのブランチもクリーンな画像を見ます。",
  },
  outOfRange: (text: string, least: number, most: number, value: number) =>
    `「${text}」は${least}から${most}までの数ではありません。値は${value}のままです。`,
  strength: "強さε",
  strengthUnit: { linf: "1/255単位", l2: "L2の長さ" },
  strengthAbout: {
    linf: (value: string) => `どの画素値の変化も、最大${value}段階です。`,
    l2: (value: string) => `変化全体の長さは、最大${value}です。`,
  },
  through: "どのブランチを通して攻撃するか",
  throughAbout: (branch: string) =>
    `${branch}をだますように変えるので、${branch}に最もよく効きます。どのブランチも同じ画像を見ます。`,
  more: "くわしい設定",
  norm: "ノルム",
  normNames: { linf: "L∞", l2: "L2" },
  steps: "ステップ数",
  target: "標的のクラス",
  noTarget: "指定しない",
  method: "マップ",
  methodNames: { "grad-cam": "Grad-CAM", saliency: "顕著性（saliency）" },
  startAgain: "最初の設定に戻す",

  // Branches
  branchAnswers: "各ブランチの答えと、見ている場所",
  origin: (origin: string) => ORIGINS[origin] ?? origin,
  rightAnswer: "正解",
  targetClass: "標的",
  mapFor: (name: string) => `「${name}」のマップ`,
  mapAlt: (branch: string, kind: string, name: string, place: string) =>
    `${branch}が見ている場所。入力：${kind}、クラス：${name}。${place}。`,
  mapScale: (method: "grad-cam" | "saliency", layer: string) =>
    method === "grad-cam"
      ? `Grad-CAM（層${layer}）。それぞれ、そのブランチ自身の答えについてのマップです。色の尺度は共通です：`
      : "顕著性（saliency）。それぞれ、そのブランチ自身の答えについてのマップです。色の尺度は共通です：",
  faintMaps: (branch: string, share: number) =>
    `${branch}のマップは淡く、尺度の${percent(share)}までしか届きません。`,
  mapLargest: (value: string) => `、最大値は${value}`,
  emptyMap: "マップは空です",
  mapPending: "マップは計算中です",
  places: [
    ["左上", "上", "右上"],
    ["左", "中央", "右"],
    ["左下", "下", "右下"],
  ],
  mapPlace: (place: string, share: number) => `主に${place}（全体の${percent(share)}）`,

  // The film
  film: "ステップごとに見る",
  filmAbout: "各ブランチの自信が、ステップごとにどう変わるか。",
  filmStep: (step: number, last: number) => (step ? `ステップ${step}/${last}` : "出発点"),
  filmSlider: "攻撃のステップ",
  play: "再生",
  pause: "一時停止",
  filmPoint: (branch: string, name: string, share: number | undefined) =>
    share === undefined ? `${branch}：${name}` : `${branch}：${name} ${percent(share)}`,

  // The dial
  dial: (first: string, last: string) => `${first}から${last}へのダイヤル`,
  dialAbout:
    "正規化層のスケールとシフトを、一方のブランチからもう一方へ少しずつ移します。ほかの重みはすべて共有です。両端の間は訓練されていないので、途中は両端より悪くなることがあります。棒の高さは、その下に書いた答えの確率です。自信が高いほど正しい、とは限りません。",
  dialSlider: "もう一方のブランチの割合",
  dialBranch: "移す先",
  dialPoint: (share: number, branch: string) => `${branch} ${percent(share)}`,
  dialAnswer: (kind: string, name: string, share: number) => `${kind}：${name} ${percent(share)}`,
  dialRuns: (runs: readonly { name: string; from: number; to: number }[]) =>
    `${runs
      .map(({ name, from, to }) =>
        from === to
          ? `${percent(from)}で「${name}」`
          : `${percent(from)}から${percent(to)}までは「${name}」`,
      )
      .join("、")}。`,
  dialPending: "ほかの計算が終わると表示されます。",

  // What was measured
  measured: (linf: number, l2: number, lowest: number, highest: number) => [
    { name: "最大の変化", value: `${linf}/255`, unit: "L∞" },
    { name: "変化の長さ", value: l2.toFixed(2), unit: "L2" },
    {
      name: "色の範囲",
      value: `${(lowest / 255).toFixed(2)}〜${(highest / 255).toFixed(2)}`,
      unit: "",
    },
  ],
  eightBit: "8ビットに丸めた後に測りました。だから、保存したPNGでも同じ答えになります。",
  cleanWrong: (branches: readonly string[]) =>
    `何も変えないうちから、${join(branches)}の答えは間違っています。`,

  // Live
  live: "ライブ",
  liveRate: (frames: number) => `毎秒${frames.toFixed(1)}枚`,
  liveAbout: "カメラの画像を1枚ずつ、設定した強さで、1ステップ（FGSM）で攻撃します。",
  liveAttack: "1枚ずつ攻撃する",
  liveStop: "カメラを止める",
  liveTake: "この画像を使う",

  // Sharing
  share: "共有",
  copyLink: "リンクをコピー",
  copied: "コピーしました",
  linkField: "いま見ている状態へのリンク",
  hideTitle: "授業用に一部を隠す",
  hideAbout: "次の部分を隠してページを開くリンクを作ります。",
  hideLinkField: "授業用のリンク",
  hidePreview: "学生に見えるページを確かめる",
  parts: {
    controls: "設定",
    pictures: "画像",
    answers: "答え",
    maps: "マップ",
    film: "ステップごとに見る",
    dial: "ダイヤル",
    measured: "測った値",
    about: "説明",
    training: "訓練",
    doors: "レッスンへの入口",
  } satisfies Record<PagePart, string>,
  ownPictureInLink: "あなたの画像はリンクに入りません。画像ファイルもいっしょに送ってください。",

  // Loading and problems
  loading: (title: string) => `${title}を読み込んでいます`,
  working: (step: number, steps: number) => `ステップ${step}/${steps}`,
  dismiss: "閉じる",
  noSimd:
    "このブラウザにはWebAssembly SIMDがないため、ネットワークを動かせません。前もって計算した結果を表示しています。2021年以降のブラウザ（Safariは16.4以降）なら動きます。",
  noDecompression:
    "このブラウザにはDecompressionStreamがないため、ネットワークを展開できません。前もって計算した結果を表示しています。2023年以降のブラウザなら動きます。",
  damaged: (asset: string) =>
    `「${asset}」が壊れています。中身が、書き出されたときのものと違います。ファイルを入手し直してください。前もって計算した結果を表示しています。`,
  damagedPage:
    "このページは壊れているか、部品のバージョンがそろっていません。ページを入手し直してください。ブラウザに古い部品が残っていることもあるので、再読み込みも試してください。",
  missing: (asset: string) =>
    `「${asset}」を取得できませんでした。接続を確かめて、ページを読み込み直してください。前もって計算した結果を表示しています。`,
  outOfMemory:
    "この端末の空きメモリが足りません。ほかのタブを閉じて、もう一度試してください。前もって計算した結果を表示しています。",
  defect: (what: string) => `ネットワークで問題が起きました：${what}`,
  noPicture: (name: string) =>
    `「${name}」は、このブラウザで読める画像ではありません。JPEG、PNG、WebPのどれかを開いてください。`,
  noCamera:
    "カメラの使用が許可されませんでした。ブラウザの設定で許可するか、画像を開いてください。",
  cameraMissing: "カメラが見つかりませんでした。",
  cameraNeedsHttps:
    "ブラウザがカメラの使用を許すのは、この端末にあるファイルか、HTTPSのアドレスだけです。画像を開いてください。",
  noFile: "ドロップされたものに、画像ファイルがありません。",
  complaint({ about, key, value }: Complaint): string {
    const shown = value.length > 40 ? `${value.slice(0, 39)}…` : value;
    if (about === "version") {
      return `リンクのバージョンは${shown}ですが、このページが読めるのはバージョン1です。最初の画像を表示しています。`;
    }
    if (about === "trained-network") {
      return "リンクのネットワークは、ほかの人のページで訓練されたもので、そのページにしかありません。このページで訓練してください。";
    }
    if (about === "network") return `リンクのネットワーク「${shown}」は、このページにありません。`;
    if (about === "picture") return `リンクの画像「${shown}」は、このページにありません。`;
    if (about === "own-picture") {
      return "このリンクは、作った人自身の画像を見ながら作られました。その画像はリンクに入りません。画像ファイルをここで開いてください。";
    }
    return `リンクの${key}「${shown}」は使えません。既定の値を使います。`;
  },
};

import { join } from "../../format";
import type { Translated } from "../../translated";
import type { interfaceWords as english } from "../en/interface";

/** Around the lessons: overview, questions, answers, the judging of maps, the teacher's page. */
export const interfaceWords: Translated<typeof english> = {
  title: "8つのレッスン",
  about:
    "ネットワークがどうだまされるのか、AdvPropがそれをどう生かすのかを学びます。1つ10分ほどです。まず予想して、それから確かめます。計算はすべてあなたの端末で行い、答えも端末の外に出ません。クラスとネットワークの名前は英語のままです。",
  numbered: (lesson: number, count: number) => `レッスン${lesson}（全${count}回）`,
  begun: "途中",
  all: "レッスン一覧",
  next: (title: string) => `次へ：${title}`,
  unknownLesson: (asked: string, count: number) =>
    `リンクが指定するレッスン「${asked.slice(0, 20)}」はありません。レッスンは1から${count}までです。`,
  missingNetworks: (names: readonly string[]) =>
    `${join(names)}がこのページに入っていないので、それを使う部分は省きます。「advprop page --lessons」で作ったページには、すべて入っています。`,
  predict: "まず予想",
  reveal: "答えを見る",
  covered: "予想を選ぶと、ここに答えが現れます。",
  goesOn: "予想すると、レッスンが続きます。",
  doNotKnow: "まだわからない",
  test: {
    before: {
      title: "始める前に：2つの質問",
      about:
        "まだ知らなくてかまいません。正しいと思うものか「まだわからない」を選んでください。最後に、同じような質問がもう2つあります。",
      button: "レッスンを始める",
      done: "ありがとうございます。正解は、レッスンの最後でわかります。",
      looked: "最初の2つの答えと正解",
    },
    after: {
      title: "わかったことの確認：2つの質問",
      about: "どちらも、このレッスンの内容から答えられます。",
      button: "答え合わせ",
      result: (right: number, count: number) => `${count}問中${right}問正解。`,
    },
  },
  answers: {
    title: "あなたの答え",
    about:
      "答えはこのブラウザにだけ残り、どこにも送られません。ファイルに入るのは選んだ答えと乱数1つで、名前は入りません。よければ先生に渡してください。",
    notKept: "このブラウザは、ページを閉じると何も残しません。閉じる前に答えを保存してください。",
    save: "答えを保存",
    saved: (file: string) => `${file}として保存しました。ブラウザのダウンロード先にあります。`,
    fileName: "advprop-answers",
    forget: "答えを消す",
    forgetSurely: "はい、消します",
    keep: "消さずに残す",
  },
  interval: "95%信頼区間",
  range: (low: string, high: string) => `${low}〜${high}`,
  judge: {
    title: "どちらのマップを信じる？",
    about:
      "同じ画像について、2つのネットワークのマップが、名前を伏せて並びます。説明としてより信じられるほうを選んでください。あなたの判断を聞く質問なので、正解はありません。12組で十分です。",
    pair: (count: number) => `${count}組目`,
    question: (name: string) =>
      `どちらのネットワークも「${name}」と答え、どちらも正解です。マップは、その答えがどの画素によるのかを示します。説明としてよいのはどちらですか？`,
    sides: ["左", "右"],
    preferred: { left: "左", neither: "差はない", right: "右" },
    judged: (count: number) => `${count}組を判定済み`,
    judgedColumn: "判定数",
    allJudged: "すべての組を判定しました。ありがとうございます。",
    scores: "どのマップを信じましたか？",
    stillToJudge: (count: number) =>
      `あと${count}組判定すると、どのネットワークのマップだったかがわかります。`,
    enough: (left: number) =>
      `これで十分です。ここでやめてもかまいません。続けるなら、同じ画像の別のマップがあと${left}組あります。`,
    showScores: "どのネットワークのマップだったかを見る",
    scoresOfOne: "あなたの判定",
    candidate: "ネットワーク",
    share: "選ばれやすさ",
    candidates: {
      "shapes-vanilla/main": "通常のネットワーク",
      "shapes-adversarial/main": "攻撃されたシーンだけで訓練",
      "shapes-advprop/main": "AdvProp、main",
      "shapes-advprop/aux": "AdvProp、aux",
    } as Record<string, string>,
    overlap: "どの区間も重なっています。はっきりと好まれたマップはありません。",
    method:
      "「選ばれやすさ」は、中くらいの強さのマップと比べたときに選ばれる確率です。ブラッドリー・テリーモデル（Bradley–Terry model）で求めます。「差はない」は、両方に半分ずつ数えます。どの組も、引き分け1回から始めます。区間は、サンドイッチ推定量とスチューデントのt分布によるものです。1人のときは判定ごとに、授業全体のときは人ごとに計算します。",
  },
  teacher: {
    title: "先生用ページ",
    about: "授業用のリンクを作り、提出された答えを集計し、プリントを印刷できます。",
    link: "授業用のリンク",
    linkAbout: "選んだ場所を開き、使わない部分を隠すリンクです。",
    opens: "リンクで開くもの",
    hideDoors: "ラボとほかのレッスンへの入口を隠す",
    ownLanguage: "見る人のブラウザの言語",
    linkField: "授業用のリンク",
    fromDisk:
      "このページはあなたのディスクにあるので、リンクはこの端末でしか使えません。ページをウェブサーバーに置くか、「advprop app --public」を起動して、そこでリンクを作ってください。",
    results: "提出された答えの集計",
    resultsAbout:
      "学生は、「あなたの答え」からファイルを1つ保存します。集めたファイルをまとめて、ここにドロップしてください。集計はこの端末で行い、どこにも送りません。",
    addFiles: "ファイルを選ぶ",
    orDrop: "またはここにドロップ",
    counted: (count: number, repeated: number) =>
      `${count}人分を集計しました。${repeated ? `同じ人のファイルが、ほかに${repeated}個ありました。答えの多いほうを数えます。` : ""}`,
    refused: {
      "no-json": (name: string) =>
        `「${name}」は壊れているか、答えのファイルではありません。JSONとして読めません。`,
      foreign: (name: string) => `「${name}」は、別の種類のファイルです。`,
      version: (name: string) => `「${name}」は、このレッスンの別のバージョンで保存されました。`,
      damaged: (name: string) =>
        `「${name}」は壊れています。どのレッスンにもない答えが入っています。`,
    },
    gains: "レッスン前後の正答率",
    lesson: "レッスン",
    readers: "人数",
    before: "前",
    after: "後",
    gain: "伸び（ポイント）",
    gainMethod:
      "1人ずつ、レッスン後の正答率からレッスン前の正答率を引きます。2組の質問は、半数の人には逆の順番で出ます。質問の難しさの差が打ち消し合うように、伸びは2つの順番の平均とします。95%信頼区間は、ウェルチのt検定の区間です。どちらかの順番が2人に満たないときは、全員をまとめたスチューデントのt区間を使います。1人しかいないときと、全員の伸びが同じときは、区間を出しません。最後まで答えなかった人は数えません。",
    preferences: (count: number) => `選ばれたマップ（${count}人の判定）`,
    noJudgements: "マップを判定した人はまだいません。",
    handouts: "プリント",
    handoutsAbout: "レッスンごとに1枚。要点、予想する質問、課題が載っています。",
  },
  handout: {
    print: "印刷",
    inShort: "要点",
    predict: "まず予想し、それからページで確かめよう",
    tasks: "考えてみよう",
    notes: "メモ",
  },
};

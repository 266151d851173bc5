/** Every sentence of the page, in simplified Chinese; what lies in lessons/zh comes with it. */

import type { Words } from ".";
import { en } from "./en";
import { join, percent, radius } from "./format";
import { lessonsZh } from "./lessons/zh";
import { pictureZh } from "./pictures/zh";
import { trainingZh } from "./training/zh";

const ATTACK_NAMES = { pgd: "PGD", fgsm: "FGSM", noise: "随机噪声", none: "不改变" } as const;

/** How a branch came to be, by the short words of its file. */
const ORIGINS: Record<string, string> = {
  trained: "训练得到",
  "norm layers only": "权重相同，只重新训练归一化层",
  "statistics only": "权重相同，只重新估计统计量",
};

const STILL_BEFORE = "现在显示的是之前算好的结果。";

export const zh: Words = {
  lessons: lessonsZh,
  training: trainingZh,

  // The header of every page
  doors: "本页的各部分",
  lab: "实验室",
  lessonsDoor: "课程",
  language: "语言",
  noLessons: "此页不含课程。用“advprop page --lessons”可以生成带课程的页面。",

  question: "两组 BatchNorm 怎样看这张图片？",
  introduction: [
    "一个网络，两组归一化层：",
    "main",
    " 用于干净图片，",
    "aux",
    " 用于扰动图片。把图片改动一点点，看看它们各自怎么回答。网络和类别的名称保留英文。",
  ],
  glossaryTitle: "这些词是什么意思？",
  glossary: [
    [
      "批归一化（BatchNorm）、归一化层",
      "把前一层给出的数值缩放并平移的一层。一个网络里有几十个这样的层。",
    ],
    [
      "分支（branch）：main、aux",
      "同一个网络，换上另一组归一化层。main 的归一化层从干净图片中学习，aux 的从专门用来骗过它的图片中学习。其他权重全部共享。这种训练方法叫 AdvProp。",
    ],
    ["梯度（gradient）", "每个颜色值应该往哪边改，才会让网络对自己的回答更没有把握。"],
    ["FGSM、PGD", "两种攻击：前者沿梯度走一步，后者沿梯度走许多小步。"],
    [
      "ε、L∞、L2",
      "攻击最多能改多少。L∞ 是所有颜色值中最大的改变量，以 1/255 为单位。L2 是整个改变量的长度。",
    ],
    [
      "Grad-CAM、显著性（saliency）",
      "两种热力图，显示一个分支根据图中哪里作出回答。越黄的地方越重要。它们是线索，不是证明。",
    ],
  ],
  aboutNetwork: (about: string) =>
    `${about
      .replace(/, (\d+) class(?:es)?, /, "，$1 个类别，")
      .replace(/ pixels/, " 像素")
      .replace(/[.。]$/, "")}。`,

  // The verdict
  nothingChanged: "图片没有改变",
  stillShown: "正在计算，仍显示上一次的结果：",
  reached: (branches: readonly string[], name: string) =>
    `${join(branches)} 的回答就是目标 ${name}。`,
  notReached: (branch: string, name: string, share: number) =>
    `没有达到目标：${branch} 只给 ${name} ${percent(share)}。ε 再大一些也许能达到。`,
  notFooled: (branch: string) => `攻击没有改变 ${branch} 的回答。ε 再大一些也许可以。`,
  attackLine({ attack, norm, epsilon, attack_branch }): string {
    if (attack === "none") return zh.nothingChanged;
    if (attack === "noise") return `随机噪声，强度 ${radius(epsilon, norm)}`;
    return `通过 ${attack_branch} 的 ${ATTACK_NAMES[attack]} 攻击，强度 ${radius(epsilon, norm)}`;
  },
  towards: (name: string) => `，目标是 ${name}`,
  atStep: (step: number, steps: number) =>
    step ? `，第 ${step} 步，共 ${steps} 步` : "，攻击的起点",
  says: (name: string, share: number) => `回答 ${name} ${percent(share)}`,
  stillSays: (name: string, before: number, after: number) =>
    `仍回答 ${name}，${percent(before)}\u00a0→\u00a0${percent(after)}`,
  turns: (before: string, beforeShare: number, after: string, afterShare: number) =>
    `回答 ${before} ${percent(beforeShare)} →\u00a0${after} ${percent(afterShare)}`,

  // Pictures
  clean: "干净图片",
  perturbed: "扰动图片",
  truth: (name: string) => `正确答案：${name}。`,
  truthNone: "网络的类别中没有正确答案。",
  truthUnknown: "正确答案未知。",
  change: "改变量",
  amplified: (times: number) => `改变量，放大 ${times} 倍`,
  noChange: "没有改变",
  cleanAlt: (title: string) => `干净图片：${pictureZh(title)}`,
  perturbedAlt: (title: string, attack: string) =>
    `扰动图片：${pictureZh(title)}。${attack.replace(/。$/, "")}。`,
  changeAlt: (times: number, linf: number) =>
    `每个颜色值的改变量，放大 ${times} 倍：最多改变 ${linf} 级，共 255 级。`,
  save: "保存为 PNG",
  saveHint: "把扰动图片存成 PNG。以后再拖回这里，得到的回答完全一样。",
  fileName: en.fileName,

  // Choosing a picture
  pictureTitle: pictureZh,
  choosePicture: "图片",
  openPicture: "打开图片",
  camera: "实时摄像头",
  pictureHint: "也可以粘贴图片，或把图片拖到页面任意位置。图片不会离开这台设备。",
  dropHere: "松手放下图片",
  ownPicture: (number: number, title: string) => `你的图片 ${number}：${title}`,
  cut: (width: number, height: number, size: number) =>
    `你的图片是 ${width} × ${height} 像素。这里取中间的正方形，缩放为 ${size} × ${size}。`,
  rightQuestion: "图里是什么？",
  rightUnsaid: "我先不说",
  rightNone: "不属于网络的任何类别",
  ownTitle: "你的图片",
  cameraTitle: "摄像头画面",

  // Controls
  controls: "设置",
  network: "网络",
  attack: "用什么改变图片",
  attackNames: ATTACK_NAMES,
  attackAbout: {
    pgd: "从随机起点出发，沿梯度走许多小步。",
    fgsm: "沿梯度走一步。",
    noise: "随机改变，每个颜色值的上限与攻击相同，用来对比。",
    none: "每个分支看到的都是干净图片。",
  },
  outOfRange: (text: string, least: number, most: number, value: number) =>
    `“${text}”不是 ${least} 到 ${most} 之间的数，仍用 ${value}。`,
  strength: "强度 ε",
  strengthUnit: { linf: "单位 1/255", l2: "L2 长度" },
  strengthAbout: {
    linf: (value: string) => `每个颜色值最多改变 ${value} 级。`,
    l2: (value: string) => `整个改变量的长度最多 ${value}。`,
  },
  through: "通过哪个分支攻击",
  throughAbout: (branch: string) =>
    `这个改变是为骗过 ${branch} 而做的，对它的伤害最大。所有分支看到的是同一张图片。`,
  more: "更多",
  norm: "范数",
  normNames: { linf: "L∞", l2: "L2" },
  steps: "步数",
  target: "指定目标类别",
  noTarget: "任何其他回答都行",
  method: "热力图",
  methodNames: { "grad-cam": "Grad-CAM", saliency: "显著性" },
  startAgain: "重新开始",

  // Branches
  branchAnswers: "每个分支怎么回答，看哪里",
  origin: (origin: string) => ORIGINS[origin] ?? origin,
  rightAnswer: "正确答案",
  targetClass: "目标",
  mapFor: (name: string) => `针对 ${name}`,
  mapAlt: (branch: string, kind: string, name: string, place: string) =>
    `${branch} 看${kind}的哪里得出 ${name}：${place}。`,
  mapScale: (method, layer) =>
    method === "grad-cam"
      ? `Grad-CAM，取自 ${layer} 层，各自针对该分支的回答。所有图共用一个色标：`
      : "显著性，各自针对该分支的回答。所有图共用一个色标：",
  faintMaps: (branch: string, share: number) =>
    `${branch} 的热力图很淡：最高只到色标的 ${percent(share)}。`,
  mapLargest: (value: string) => `，最大值 ${value}`,
  emptyMap: "热力图是空的",
  mapPending: "热力图稍后出现",
  places: [
    ["左上", "中上", "右上"],
    ["左侧", "中央", "右侧"],
    ["左下", "中下", "右下"],
  ],
  mapPlace: (place: string, share: number) => `主要在${place}，占 ${percent(share)}`,

  // The film
  film: "一步一步看",
  filmAbout: "每一步之后，各分支有多大把握。",
  filmStep: (step: number, last: number) => (step ? `第 ${step}/${last} 步` : "起点"),
  filmSlider: "攻击的第几步",
  play: "播放",
  pause: "暂停",
  filmPoint: (branch: string, name: string, share: number | undefined) =>
    share === undefined ? `${branch}：${name}` : `${branch}：${name} ${percent(share)}`,

  // The dial
  dial: (first: string, last: string) => `从 ${first} 转到 ${last} 的旋钮`,
  dialAbout:
    "归一化层的缩放和平移参数从一个分支逐渐变到另一个分支，其他权重始终共享。两端之间的网络没有训练过，所以中间可能比两端都差。柱子的高度是下方那个回答的概率；更有把握不等于更正确。",
  dialSlider: "另一个分支所占的比例",
  dialBranch: "转向",
  dialPoint: (share: number, branch: string) => `${branch} 占 ${percent(share)}`,
  dialAnswer: (kind: string, name: string, share: number) => `${kind}：${name} ${percent(share)}`,
  dialRuns: (runs) =>
    `${runs
      .map(({ name, from, to }) =>
        from === to
          ? `${percent(from)} 处是 ${name}`
          : `${percent(from)} 到 ${percent(to)} 是 ${name}`,
      )
      .join("，")}。`,
  dialPending: "其余部分算完后出现。",

  // What was measured
  measured: (linf: number, l2: number, lowest: number, highest: number) => [
    { name: "最大改变", value: `${linf}/255`, unit: "L∞" },
    { name: "改变量的长度", value: l2.toFixed(2), unit: "L2" },
    {
      name: "颜色范围",
      value: `${(lowest / 255).toFixed(2)} 到 ${(highest / 255).toFixed(2)}`,
      unit: "",
    },
  ],
  eightBit: "这些数值是取整到 8 位之后测的，所以保存的 PNG 会得到同样的回答。",
  cleanWrong: (branches: readonly string[]) => `图片还没有改变时，${join(branches)} 就已经答错了。`,

  // Live
  live: "实时",
  liveRate: (frames: number) => `每秒 ${frames.toFixed(1)} 张`,
  liveAbout: "摄像头的每一帧都按你设的强度做一步攻击（FGSM）。",
  liveAttack: "攻击每一帧",
  liveStop: "关闭摄像头",
  liveTake: "用这张图片",

  // Sharing
  share: "分享",
  copyLink: "复制链接",
  copied: "已复制。",
  linkField: "指向当前画面的链接",
  hideTitle: "上课时隐藏部分内容",
  hideAbout: "用这个链接打开页面，就不显示这些部分：",
  hideLinkField: "给班级的链接",
  hidePreview: "看看学生会看到的页面",
  parts: {
    controls: "设置",
    pictures: "图片",
    answers: "回答",
    maps: "热力图",
    film: "一步一步看",
    dial: "旋钮",
    measured: "测量结果",
    about: "介绍",
    training: "训练",
    doors: "课程入口",
  },
  ownPictureInLink: "链接里放不下你自己的图片，请把图片文件一起发过去。",

  // Loading and problems
  loading: (title: string) => `正在加载 ${title}`,
  working: (step: number, steps: number) => `第 ${step} 步，共 ${steps} 步`,
  dismiss: "知道了",
  noSimd: `这个浏览器不支持 WebAssembly SIMD，网络无法运行。${STILL_BEFORE}2021 年以后的浏览器（Safari 从 16.4 起）都可以。`,
  noDecompression: `这个浏览器不支持 DecompressionStream，网络无法解压。${STILL_BEFORE}2023 年以后的浏览器都可以。`,
  damaged: (asset: string) =>
    `“${asset}”已损坏，内容与写入时不一致。请重新获取这个文件。${STILL_BEFORE}`,
  damagedPage:
    "此页已损坏，或者各部分版本不一致。请重新获取；浏览器也可能缓存了旧的部分，请刷新页面。",
  missing: (asset: string) => `无法获取“${asset}”。请检查网络连接，再重新打开页面。${STILL_BEFORE}`,
  outOfMemory: `这台设备的可用内存不够。请关掉其他标签页再试。${STILL_BEFORE}`,
  defect: (what: string) => `网络运行出错：${what}`,
  noPicture: (name: string) => `这个浏览器读不出图片“${name}”。请打开 JPEG、PNG 或 WebP 文件。`,
  noCamera: "摄像头被拒绝。请在浏览器设置中允许使用，或改为打开图片。",
  cameraMissing: "没有找到摄像头。",
  cameraNeedsHttps: "浏览器只允许本机文件和 HTTPS 网址使用摄像头。请改为打开图片。",
  noFile: "拖进来的内容里没有图片文件。",
  complaint({ about, key, value }): string {
    const shown = value.length > 40 ? `${value.slice(0, 39)}…` : value;
    if (about === "version") {
      return `链接的版本是 ${shown}，此页只能读版本 1。现在显示第一张图片。`;
    }
    if (about === "network") return `此页没有链接中的网络“${shown}”。`;
    if (about === "picture") return `此页没有链接中的图片“${shown}”。`;
    if (about === "own-picture") {
      return "这个链接用的是别人自己的图片，链接里放不下。请在这里打开那个图片文件。";
    }
    return `链接中的 ${key} 值“${shown}”在这里不存在，已改用默认值。`;
  },
};

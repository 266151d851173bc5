import { join } from "../../format";

/** Around the lessons: overview, questions, answers, the judging of maps, the teacher's page. */
export const interfaceWords = {
  title: "八堂课",
  about:
    "网络怎样被骗，AdvProp 又怎样利用这一点。每课约十分钟：你先猜，再看结果。一切都在你的设备上运行，你的回答也只留在这里。",
  numbered: (lesson: number, count: number) => `第 ${lesson} 课，共 ${count} 课`,
  begun: "已开始",
  all: "全部课程",
  next: (title: string) => `下一课：${title}`,
  unknownLesson: (asked: string, count: number) =>
    `链接要打开第“${asked.slice(0, 20)}”课，但这里只有第 1 课到第 ${count} 课。`,
  missingNetworks: (names: readonly string[]) =>
    `此页没有 ${join(names)}，需要用到的部分已省略。用“advprop page --lessons”生成的页面内容齐全。`,
  predict: "先猜一猜",
  reveal: "看结果",
  covered: "你猜过以后，答案就会出现。",
  goesOn: "猜过之后，课程继续。",
  doNotKnow: "我还不知道",
  test: {
    before: {
      title: "开始之前：两道题",
      about: "现在还不必知道。选你觉得对的，或选“我还不知道”。学完后还有两道同类的题。",
      button: "开始上课",
      done: "谢谢。这两道题的答案，学完这课你就知道了。",
      looked: "你最初的两个回答，以及正确答案",
    },
    after: {
      title: "你学到了什么：两道题",
      about: "学完这课，两道题你都能答出来。",
      button: "检查我的回答",
      result: (right: number, count: number) => `${count} 题中答对 ${right} 题。`,
    },
  },
  answers: {
    title: "你的回答",
    about:
      "回答保存在这个浏览器里，不会发给任何人。文件里只有你的选择和一个随机编号，没有姓名。愿意的话，可以交给老师。",
    notKept: "这个浏览器在关闭页面后不保留任何内容。关闭之前，请先保存你的回答。",
    save: "保存我的回答",
    saved: (file: string) => `已保存为 ${file}，在浏览器存放下载文件的地方。`,
    fileName: "advprop-answers",
    forget: "删除我的回答",
    forgetSurely: "确定删除",
    keep: "保留",
  },
  interval: "95% 区间",
  range: (low: string, high: string) => `${low} 到 ${high}`,
  judge: {
    title: "你更相信谁的热力图？",
    about:
      "你会看到同一张图片的两张热力图，来自两个网络，不标名字。选出你更愿意当作解释来相信的那一张。这是你自己的判断，没有标准答案。十二对就够了。",
    pair: (count: number) => `第 ${count} 对`,
    question: (name: string) =>
      `两个网络都回答“${name}”，而且都对。每张热力图显示回答取决于哪些像素。哪一张解释得更好？`,
    sides: ["左边", "右边"],
    preferred: { left: "左边", neither: "差不多", right: "右边" },
    judged: (count: number) => `已判断 ${count} 对`,
    judgedColumn: "判断次数",
    allJudged: "你已判断完所有热力图。谢谢。",
    scores: "你相信的是谁的热力图？",
    stillToJudge: (count: number) => `再判断 ${count} 对，就能看到它们是谁的。`,
    enough: (left: number) =>
      `已经够了，你可以停在这里。愿意的话，还有 ${left} 对：同样的图片，别的热力图。`,
    showScores: "看看它们是谁的",
    scoresOfOne: "你的判断",
    candidate: "热力图来自",
    share: "被选中",
    candidates: {
      "shapes-vanilla/main": "普通网络",
      "shapes-adversarial/main": "只用受攻击场景训练",
      "shapes-advprop/main": "AdvProp，main",
      "shapes-advprop/aux": "AdvProp，aux",
    } as Record<string, string>,
    overlap: "所有区间都重叠：没有哪种热力图明显更受欢迎。",
    method:
      "“被选中”是指：与一张中等水平的热力图相比，它被选中的概率，按 Bradley–Terry 模型计算。“差不多”算双方各得一半。每两者之间先计一次平局。区间是用 Student t 分布的三明治（sandwich）区间：只有一个人时按各次判断计算，全班时按人计算。",
  },
  teacher: {
    title: "教师专页",
    about: "给班级做链接，汇总全班导出的结果，打印讲义。",
    link: "给班级的链接",
    linkAbout: "链接打开你选的内容，并隐藏你不需要的部分。",
    opens: "链接打开",
    hideDoors: "隐藏实验室和其他课程的入口",
    ownLanguage: "各人浏览器的语言",
    linkField: "给班级的链接",
    fromDisk:
      "此页存放在你的硬盘上，所以链接只在这台设备上有效。请把页面放到网站上，或启动“advprop app --public”，再在那里生成链接。",
    results: "全班导出的结果",
    resultsAbout:
      "每位学生在“你的回答”下保存一个文件。请把所有文件拖到这里。汇总只在这台设备上进行，不会发给任何人。",
    addFiles: "选择文件",
    orDrop: "或拖到这里",
    counted: (count: number, repeated: number) =>
      `已计入 ${count} 人。${repeated ? `有 ${repeated} 个文件来自已计入的人：取内容较全的一份。` : ""}`,
    refused: {
      "no-json": (name: string) => `“${name}”已损坏，或不是回答文件：它不是 JSON。`,
      foreign: (name: string) => `“${name}”是别的用途的文件。`,
      version: (name: string) => `“${name}”是由另一版本的课程保存的。`,
      damaged: (name: string) => `“${name}”已损坏：里面有课程中不存在的回答。`,
    },
    gains: "每课之前和之后的答对率",
    lesson: "课程",
    readers: "人数",
    before: "课前",
    after: "课后",
    gain: "提高（百分点）",
    gainMethod:
      "每位学生课后的答对率减去课前的答对率。两组题目的先后顺序，有一半学生是反过来的。提高值取两半的平均，这样题目难度不同的影响会抵消；95% 区间是 Welch t 区间。如果有一半不足两人，就对全体学生用 Student t 区间。只有一人，或所有人提高相同时，没有区间。没做完的学生不计入。",
    preferences: (count: number) => `更受信任的热力图，由 ${count} 人判断`,
    noJudgements: "还没有人判断过热力图。",
    handouts: "讲义",
    handoutsAbout: "每课打印一页：要点、先猜的题目、思考题。",
  },
  handout: {
    print: "打印",
    inShort: "要点",
    predict: "先猜一猜，再看页面",
    tasks: "想一想",
    notes: "笔记",
  },
};

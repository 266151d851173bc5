import type { LessonWords } from "../shape";

export const norms = {
  title: "Can one BatchNorm serve two kinds of pictures?",
  about: "You watch the running mean of a norm layer between clean and attacked digits.",
  inShort: [
    "A BatchNorm layer keeps a running mean and a running variance of what passes through it.",
    "Clean and attacked pictures have different means. One running mean lies between and fits neither.",
    "AdvProp gives each kind its own norm layers, and shares all other weights.",
    "Statistics fit only the weights that they were collected with. Swapping them breaks a network.",
  ],
  tasks: [
    "Find a mean in daily life that fits nobody. What would two means say?",
    "Norm layers are about one hundredth of a network. Why is a second set cheap?",
  ],
  parts: {
    start: [
      "Deep networks have many layers. Between them sit **BatchNorm** layers. A norm layer subtracts a mean and divides by a spread, so that numbers stay in a range that the next layer can use. Then it scales and shifts by two numbers that it learned, γ and β.",
      "Which mean? While the network learns, each step shows a **batch**, a handful of pictures. The layer takes the batch's mean. It also keeps a **running mean** for later: nine tenths of the old one and one tenth of the new. When learning is over, the running mean is all that it uses.",
      "Below is such a running mean, on real digits. One unit looks for sevens: it is the natural model of lesson 2. It is shown batches of sevens, eight at a time. Blue batches are clean. Orange ones are attacked with FGSM at ε = 0.25.",
    ],
    means: {
      question:
        "Clean and attacked batches take turns. One norm layer keeps one running mean. Where will it be in the end?",
      choices: [
        "At the mean of the clean batches",
        "At the mean of the attacked batches",
        "Between the two, where hardly any batch is",
      ],
      after: [
        "Press play. Then tick the box, and each kind has a layer of its own. Two means, and each is in the middle of its batches.",
      ],
    },
    split: [
      "Two sets of norm layers, and everything else shared: that is the idea of AdvProp (Xie and others, 2019). The network seen through the first set is its branch **main**, for clean pictures. Through the second set it is its branch **aux**, for attacked ones. A second set adds about 1 % to the weights of such a network.",
    ],
    branches: {
      question:
        "This network has both branches. The crescent is attacked through main, at 4/255, and main is fooled. Both branches see the same attacked picture. What does aux say?",
      choices: ["The same as main", "Crescent, the right answer", "It is unsure of everything"],
      after: [
        "Same picture, same weights, other norm layers, another answer. aux is not always right: go up to 8/255.",
      ],
    },
    train: [
      "Now train such a network yourself. Start it, and look at the norm layers below the charts. main and aux begin at the same place, and come apart while it learns.",
      "When it is done, choose **One BatchNorm** and start again. Now the lines of clean and of attacked pictures lie almost on each other. So it is not the pictures alone that pull main and aux apart in this small network. Each branch learns its own scale γ and shift β, and so each makes other numbers of its pictures.",
    ],
    halves: [
      "What did this project measure? On small networks that were trained from nothing, AdvProp's main was 1.6 points better on clean photos than the same network with **one** BatchNorm for both kinds (five runs, interval 0.7 to 2.4). On a larger network that was only fine-tuned, one BatchNorm did as well. So two BatchNorms can help, and do not always.",
      "Which half of a norm layer makes aux robust? Not the running statistics: collected again on other pictures, they change almost nothing. γ and β carry it. But if you put one branch's statistics under the other's γ and β, right answers on clean photos fall from 90 % to 18 %. Statistics fit only the weights that they were collected with.",
    ],
  },
  tests: {
    a: [
      {
        question:
          "One norm layer is shown clean and attacked batches in turn. Where does its running mean end?",
        choices: ["At the clean mean", "At the attacked mean", "Between the two"],
        why: "Each batch pulls it a tenth of the way, once to this side and once to that.",
      },
      {
        question: "What do AdvProp's branches main and aux share?",
        choices: ["The norm layers alone", "All weights but the norm layers", "Nothing"],
        why: "Each branch has norm layers of its own. All other weights are the same.",
      },
    ],
    b: [
      {
        question:
          "A room holds children of 1.2 m and adults of 1.8 m, as many of each. Their mean height is 1.5 m. Whom does it describe?",
        choices: ["The children", "Nobody", "The adults"],
        why: "It is between two groups, as the one running mean is.",
      },
      {
        question: "What does AdvProp add, so that it can serve two kinds of pictures?",
        choices: ["A second set of norm layers", "A second whole network", "A second data set"],
        why: "Only norm layers are doubled: about 1 % of the weights.",
      },
    ],
  },
} as const satisfies LessonWords;

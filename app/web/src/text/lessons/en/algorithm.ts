import type { LessonWords } from "../shape";

export const algorithm = {
  title: "AdvProp's algorithm, step by step",
  about: "You do one training step of AdvProp on a real picture, part by part.",
  inShort: [
    "1. Take a clean picture. 2. Attack it through aux. 3. The clean one goes through main: a loss.",
    "4. The attacked one goes through aux: a second loss. 5. Add both. 6. One step along the gradient of the sum.",
    "Shared weights learn from both pictures. Each set of norm layers learns from its own kind alone.",
    "When training is over, the paper uses main alone. aux is left out.",
  ],
  tasks: [
    "What would go wrong if the attack were made through main and then shown to aux?",
    "An AdvProp step takes much longer than a plain step. Where does the time go?",
  ],
  parts: {
    start: [
      "You know all parts now: an attack, two losses, two sets of norm layers. **Loss** is a number for how wrong an answer is: 0 where the right class has 100 %, and more the smaller its probability.",
      "Here is one step of training, on a network that has already learned. So the losses are small. Press the button for each part.",
    ],
    steps: [
      "The picture, its attack and both losses below are computed by the network in this page, now.",
    ],
    through: {
      question:
        "An attack of the same strength is made once through main and once through aux. Which one harms **main** more?",
      choices: ["The one through aux", "The one through main", "Both harm it equally"],
      after: [
        "Switch between the two. An attack harms most the branch through which it was made. That is why AdvProp makes it through aux: aux learns from the attacked pictures, so they must be hard for aux.",
        "Measured on 300 photos at 4/255, main is right on 34 % when the attack is made through main, and on 74 % when it is made through aux.",
      ],
    },
    result: [
      "When training is over, **aux** has done its work. The paper leaves it out and uses **main** alone: photos in use are clean ones, and main's norm layers belong to these.",
      "Does it help? The authors say yes for large networks: EfficientNet-B7 goes up by 0.7 points to 85.2 % on ImageNet, and the mean error on corrupted photos falls from 59.4 to 52.9 (less is better).",
      "This project asked again with small networks, in twelve settings and five runs each. On clean photos main gains nothing that shows: 0.0 points, interval −0.4 to +0.3. Under noise it gains 2.7 points (1.4 to 3.9). Under attack it gains 13.5 (11.1 to 16.0). Small networks are not large ones, so this does not refute the paper.",
    ],
  },
  tests: {
    a: [
      {
        question: "Through which branch does AdvProp make its attacked pictures in training?",
        choices: ["Through main", "Through aux", "Through both by turns"],
        why: "aux learns from them, so they are made to be hard for aux.",
      },
      {
        question: "What does one AdvProp step make smaller?",
        choices: [
          "The loss of main on the attacked picture",
          "The loss of aux on the clean picture",
          "The loss of main on the clean picture plus that of aux on the attacked one",
        ],
        why: "Each branch answers to its own kind of picture, and both losses are added.",
      },
    ],
    b: [
      {
        question: "Which branch is shown the attacked picture in an AdvProp step?",
        choices: ["aux", "main", "Both"],
        why: "main sees clean pictures alone, so its statistics stay clean.",
      },
      {
        question: "Training is over. Which branch does the paper use for clean photos?",
        choices: ["aux", "main", "The mean of both"],
        why: "main's norm layers belong to clean pictures. aux is left out.",
      },
    ],
  },
} as const satisfies LessonWords;

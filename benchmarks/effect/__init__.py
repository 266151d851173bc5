"""Does AdvProp help? Four objectives, five seeds, real photos; see PLAN.md and SCALES.md beside this file."""

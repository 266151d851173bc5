"""Does AdvProp help? Four objectives, five seeds, real photos; see PLAN.md beside this file."""

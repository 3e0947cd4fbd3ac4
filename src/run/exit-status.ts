/** Exit status of a run that was stopped and can be resumed (EX_TEMPFAIL). */
export const resumable = 75;

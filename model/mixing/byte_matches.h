/* byte_matches.h - a match model over the history of bytes, which tells what token its bytes lead
 * to. Private to model/.
 *
 * It finds repeats that are cut into other tokens than before: in wrapped lines, in long runs of
 * letters or digits, in text whose white space has changed. MODEL.md, section 10. */
#ifndef CPR_BYTE_MATCHES_H
#define CPR_BYTE_MATCHES_H

#include "mixing_state.h"

/* Learns whether the match was right about the token, follows it, appends the token's bytes to the
 * history, and looks for a match if there is none. After cpr_token_matches_find(). */
void cpr_byte_matches_append(cpr_model *model, uint32_t token);

/* What the match expects next. */
void cpr_byte_matches_expect(cpr_model *model);

#endif

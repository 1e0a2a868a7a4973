/* ranks_team.h - the teams of a lesson: the ranks of each node, in memory that they share. */
#ifndef CPR_RANKS_TEAM_H
#define CPR_RANKS_TEAM_H

#include "ranks.h"

/* This rank in its team. A rank that cannot get at the memory of its node's others is a team of its
 * own: that costs time, and nothing else. */
typedef struct cpr_ranks_team cpr_ranks_team;

#define CPR_TEAM_SUMS 8u

/* COLLECTIVE. In teams whose members share `common` bytes, and `each` for each member behind them.
 * To be closed after a failure, too. */
cpr_status cpr_ranks_team_open(cpr_ranks *ranks, size_t common, size_t each, cpr_ranks_team **team,
                               cpr_error *error);

/* COLLECTIVE. */
void cpr_ranks_team_close(cpr_ranks_team *team);

/* Local. For cpr_lesson_create(), valid until the team is closed. NULL: there is one rank. */
const cpr_team *cpr_ranks_team_of(const cpr_ranks_team *team);

/* Local. Whether this rank is member 0. */
bool cpr_ranks_team_is_first(const cpr_ranks_team *team);

/* COLLECTIVE. All members meet, and get the sums of all ranks' values in place; at most
 * CPR_TEAM_SUMS of them. */
void cpr_ranks_team_sum(cpr_ranks_team *team, uint64_t *values, size_t count);

/* Local. Bytes that this rank has put into sums over teams. */
uint64_t cpr_ranks_team_sent(const cpr_ranks_team *team);

#endif

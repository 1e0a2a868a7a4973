/* bit_history.c - the states of bit_history.h. */
#include "bit_history.h"

#include <stdbool.h>
#include <string.h>

#define MOST 48
#define LAST_MOST 9 /* up to this sum, states know the last decision */

/* The larger number may be at most this, by the smaller one. */
static const uint8_t bounds[] = {MOST, 32, 16, 12, 8, 6};

static bool numbers_allowed(uint32_t n0, uint32_t n1)
{
    const uint32_t smaller = n0 < n1 ? n0 : n1;
    const uint32_t larger = n0 < n1 ? n1 : n0;
    return smaller < sizeof bounds && larger <= bounds[smaller];
}

/* A number above 2 shrinks to about twice its square root when the other decision is seen. */
static uint32_t shrink_number(uint32_t n)
{
    if (n <= 2)
        return n;
    uint32_t root2 = 2; /* the largest r with r * r <= 4 * (n - 1), less one */
    while ((root2 + 1) * (root2 + 1) <= 4 * (n - 1))
        root2++;
    return root2 - 1 < 2 ? 2 : root2 - 1;
}

/* What becomes of (n0, n1) when `bit` is added to (n0, n1): what is out of bounds is brought back.
 */
static void add_decision(uint32_t n[2], unsigned bit)
{
    n[bit]++;
    n[!bit] = shrink_number(n[!bit]);
    while (!numbers_allowed(n[0], n[1])) {
        if (n[!bit] >= n[bit])
            n[!bit]--;
        else
            n[bit]--;
    }
}

static uint8_t add_state(cpr_bit_history *history, uint32_t n0, uint32_t n1)
{
    history->n[history->states][0] = (uint8_t)n0;
    history->n[history->states][1] = (uint8_t)n1;
    return (uint8_t)history->states++;
}

void cpr_bit_history_init(cpr_bit_history *history)
{
    uint8_t state_of[MOST + 1][MOST + 1][2] = {{{0}}};
    memset(history, 0, sizeof *history);
    for (uint32_t total = 0; total <= 2 * MOST; total++) {
        for (uint32_t n0 = 0; n0 <= total; n0++) {
            if (n0 > MOST || total - n0 > MOST || !numbers_allowed(n0, total - n0))
                continue;
            uint8_t *of = state_of[n0][total - n0];
            of[0] = add_state(history, n0, total - n0);
            const bool twice = n0 > 0 && n0 < total && total <= LAST_MOST;
            of[1] = twice ? add_state(history, n0, total - n0) : of[0];
        }
    }
    for (uint32_t state = 0; state < history->states; state++) {
        for (unsigned bit = 0; bit < 2; bit++) {
            uint32_t n[2] = {history->n[state][0], history->n[state][1]};
            add_decision(n, bit);
            history->next[state][bit] = state_of[n[0]][n[1]][bit];
        }
    }
}

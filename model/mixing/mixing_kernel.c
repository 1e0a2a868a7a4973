/* mixing_kernel.c - predict and learn one decision: the model's inner loop.
 *
 * Compiled once per instruction set, with CPR_KERNEL as the name of the variant. Integer arithmetic
 * only, so that all variants give the same results. The methods are those of context mixing
 * (Mahoney 2005, "Adaptive weighing of context models for lossless data compression", TR
 * CS-2005-16): bit histories mapped to learned probabilities, logistic mixing with selected
 * weights, secondary estimation. */
#include "exact_math.h"
#include "mixing_state.h"
#include "token_contexts.h"

#ifdef __AVX2__
#include <immintrin.h>
#endif

/* For functions on a number of lanes that their callers fix. */
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 24")
#define VECTORIZE                                                                                  \
    _Pragma("GCC unroll 1") /* else the compiler unrolls first, and finds no vectors */

#define REFINE_RATE 5 /* a table moves 2^-5 of its error */
#define FINAL_RATE 18

ALWAYS_INLINE uint32_t padded_sets(cpr_mixing_shape s)
{
    return (s.sets + 3) & ~UINT32_C(3);
}

/* ---- slots ---- */

/* Where the groups are that a node's decisions lead to, both in one bucket: so it is asked for a
 * decision before it is needed. `from` is the node's number + 1, 0 for the group of the root. */
ALWAYS_INLINE void address_groups(cpr_model *m, uint32_t from, cpr_mixing_shape s)
{
    cpr_group_address *at = &m->next_groups;
    for (uint32_t i = 0; i < s.contexts; i++) {
        uint64_t hash = m->core->context_hash[i] + from * UINT64_C(0xD1B54A32D192ED03);
        hash = (hash ^ hash >> 32) * UINT64_C(0x9E3779B97F4A7C15);
        at->bucket[i] = (uint32_t)((hash >> 32) * m->bucket_count >> 32);
        at->check[i] = (uint8_t)hash;
        if (i < s.lines) {
            at->line[i] = 2 * (uint32_t)((hash >> 32) * m->line_pairs >> 32);
            at->line_check[i] = (uint32_t)hash | 1;
        }
    }
    UNROLL for (uint32_t i = 0; i < s.lines; i++)
    {
        __builtin_prefetch(&m->lines[at->line[i]], 1);
        __builtin_prefetch(&m->lines[at->line[i] + 1], 1);
    }
    UNROLL for (uint32_t i = 0; i < s.contexts; i++)
        __builtin_prefetch(&m->buckets[at->bucket[i]], 1);
    UNROLL for (uint32_t i = 0; i < s.chances * s.contexts; i++)
    {
        const uint16_t *chances = m->chances + (size_t)at->bucket[i] * sizeof(cpr_bucket);
        __builtin_prefetch(chances, 1);
        __builtin_prefetch(chances + sizeof(cpr_bucket) / 2, 1);
    }
}

/* The slot of a context in its bucket. If there is none, the one that has seen least makes room. */
ALWAYS_INLINE uint32_t find_slot(cpr_bucket *bucket, uint32_t check)
{
    const cpr_slot *slots = bucket->slots;
    const uint32_t found = slots[0].check == check   ? 0
                           : slots[1].check == check ? 1
                           : slots[2].check == check ? 2
                           : slots[3].check == check ? 3
                                                     : CPR_BUCKET_SLOTS;
    if (found < CPR_BUCKET_SLOTS)
        return found;
    uint32_t victim = 0;
    for (uint32_t i = 1; i < CPR_BUCKET_SLOTS; i++)
        if (bucket->slots[i].history[0] < bucket->slots[victim].history[0])
            victim = i;
    bucket->slots[victim] = (cpr_slot){.check = (uint8_t)check};
    return victim;
}

/* Makes the line that of the context, if it is another's. */
ALWAYS_INLINE void find_line(cpr_line *line, uint32_t check)
{
    if (line->check != check) {
        line->check = check;
        for (uint32_t i = 0; i < CPR_SLOT_NODES; i++)
            line->node[i] = UINT32_C(1) << 31;
    }
}

/* The slots and lines of one of the two groups. */
ALWAYS_INLINE void find_slots(cpr_model *m, unsigned decision, cpr_mixing_shape s)
{
    const cpr_group_address *at = &m->next_groups;
    for (uint32_t i = 0; i < s.contexts; i++) {
        const uint32_t check = at->check[i] ^ decision << 7;
        m->core->slot[i] = at->bucket[i] * (uint32_t)sizeof(cpr_bucket) +
                           find_slot(&m->buckets[at->bucket[i]], check > 0 ? check : 1) *
                               (uint32_t)sizeof(cpr_slot);
    }
    for (uint32_t i = 0; i < s.lines; i++) {
        const uint32_t line = at->line[i] + decision;
        find_line(&m->lines[line], at->line_check[i]);
        m->core->line[i] = line * (uint32_t)(sizeof(cpr_line) / sizeof(cpr_estimate));
    }
}

/* The histories of a node: that of context i is at + slot[i]. */
static uint8_t *histories(const cpr_model *m, const cpr_tree_node *node)
{
    return &m->buckets[0].slots[0].history[node->in_group - 1u];
}

/* The node's decisions lead to other groups. */
static bool leads_to_groups(const cpr_tree_node *node)
{
    return node->depth % CPR_GROUP_DEPTH == CPR_GROUP_DEPTH - 1 &&
           (node->child[0] >= 0 || node->child[1] >= 0);
}

/* ---- lanes ---- */

static uint32_t depth_class(uint32_t depth)
{
    return depth == 0 ? 0 : depth < 4 ? 1 : depth < 8 ? 2 : 3;
}

/* The mixer's inputs, four in a word. They are put together in registers and stored as vectors: a
 * vector that is loaded from where its parts were just stored one by one has to wait for them. */
typedef struct packed_inputs {
    uint64_t words[CPR_INPUTS_MAX / 4];
} packed_inputs;

typedef uint64_t word_vector __attribute__((vector_size(32), may_alias));

ALWAYS_INLINE void put_input(packed_inputs *packed, uint32_t lane, int32_t value)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    const uint32_t place = lane % 4;
#else
    const uint32_t place = 3 - lane % 4;
#endif
    packed->words[lane / 4] |= (uint64_t)(uint16_t)value << 16 * place;
}

/* Stores them; the first unused one is a constant, the rest are 0. */
ALWAYS_INLINE void store_inputs(cpr_model *m, packed_inputs *packed, uint32_t used, uint32_t inputs)
{
    put_input(packed, used, CPR_CONSTANT_INPUT);
    const uint64_t *words = packed->words;
    UNROLL for (uint32_t i = 0; i < inputs / 4; i += 4) * (word_vector *)(void *)&m->input[4 * i] =
        (word_vector){words[i], words[i + 1], words[i + 2], words[i + 3]};
}

/* Reads the estimate that a lane points to. Returns its logit. */
ALWAYS_INLINE int32_t read_lane(cpr_model *m, cpr_lanes *lanes, const cpr_estimate *estimates,
                                uint32_t lane, uint32_t index)
{
    const cpr_estimate estimate = estimates[index];
    lanes->index[lane] = index;
    lanes->estimate[lane] = estimate;
    return m->constants.logistic.stretch[estimate >> 20];
}

/* The same for a lane that may expect a 0 (flip), or nothing (not on), and makes it an input. */
ALWAYS_INLINE void read_expecting(cpr_model *m, cpr_lanes *lanes, const cpr_estimate *estimates,
                                  uint32_t lane, uint32_t index, int32_t flip, int32_t on,
                                  packed_inputs *packed)
{
    const int32_t logit = read_lane(m, lanes, estimates, lane, index);
    lanes->flip[lane] = flip;
    lanes->on[lane] = on;
    put_input(packed, lane, ((logit ^ flip) - flip) & on);
}

/* Returns how many contexts have seen this node, from 0 to 7. */
ALWAYS_INLINE uint32_t read_contexts(cpr_model *m, const cpr_tree_node *node, cpr_mixing_shape s,
                                     packed_inputs *packed)
{
    const cpr_core_state *core = m->core;
    const uint8_t *at = histories(m, node);
    const uint32_t base = depth_class(node->depth) * 256;
    uint32_t known = 0;
    UNROLL for (uint32_t i = 0; i < s.contexts; i++)
    {
        const uint32_t history = at[core->slot[i]];
        put_input(
            packed, i,
            read_lane(m, &m->lanes, core->estimates, i, i * CPR_LANE_ENTRIES + base + history));
        known += history != CPR_STATE_NONE;
    }
    return known * 7 / s.contexts;
}

/* What the slots' chances say; a state that has seen nothing has none. After read_contexts(). */
ALWAYS_INLINE void read_chances(cpr_model *m, const cpr_tree_node *node, cpr_mixing_shape s,
                                packed_inputs *packed)
{
    const uint32_t first = cpr_lanes_of(s) + s.networks;
    UNROLL for (uint32_t i = 0; i < s.chances * s.contexts; i++)
    {
        const uint32_t history = m->lanes.index[i] & 255;
        const uint16_t chance = m->chances[m->core->slot[i] + node->in_group];
        m->chance[i] = history != CPR_STATE_NONE ? chance : 32768;
        put_input(packed, first + i, cpr_stretch(&m->constants.logistic, m->chance[i]));
    }
}

/* Before the states beside them become others. */
ALWAYS_INLINE void learn_chances(cpr_model *m, unsigned bit, const cpr_tree_node *node,
                                 cpr_mixing_shape s)
{
    UNROLL for (uint32_t i = 0; i < s.chances * s.contexts; i++)
    {
        cpr_move(&m->chance[i], bit, m->constants.rate[m->lanes.index[i] & 255]);
        m->chances[m->core->slot[i] + node->in_group] = m->chance[i];
    }
}

/* What a pair of successors says, 0 to 3: only the first agrees with the decisions so far; both,
 * and they agree here, or not; only the second. The decision is the first's if it agrees. */
ALWAYS_INLINE void read_successors(cpr_model *m, uint32_t depth, cpr_mixing_shape s,
                                   packed_inputs *packed)
{
    const cpr_expected *e = &m->core->expected;
    const uint32_t class = depth_class(depth);
    uint32_t entry[CPR_SUCCESSORS_MAX];
    int32_t flip[CPR_SUCCESSORS_MAX], on[CPR_SUCCESSORS_MAX];
    for (uint32_t i = 0; i < CPR_SUCCESSORS_MAX; i++) {
        const int32_t agrees0 = e->agrees[0][i], agrees1 = e->agrees[1][i];
        const uint32_t bit0 = e->path[0][i] << depth >> 31, bit1 = e->path[1][i] << depth >> 31;
        const uint32_t decision = agrees0 ? bit0 : bit1;
        const uint32_t kind = agrees0 ? (agrees1 ? 1 + (bit0 ^ bit1) : 0) : 3;
        entry[i] = (kind * CPR_SUCCESSOR_STATES + e->state[i]) * CPR_DEPTH_CLASSES + class;
        flip[i] = (int32_t)decision - 1;
        on[i] = agrees0 | agrees1;
    }
    UNROLL for (uint32_t i = 0; i < s.successors; i++)
        read_expecting(m, &m->lanes, m->core->estimates, s.contexts + i,
                       (s.contexts + i) * CPR_LANE_ENTRIES + entry[i], flip[i], on[i], packed);
}

/* The lanes of a match: by its state and the depth, and by its state alone. */
ALWAYS_INLINE void read_matches(cpr_model *m, uint32_t depth, cpr_mixing_shape s,
                                packed_inputs *packed)
{
    const cpr_estimate *estimates = m->core->estimates;
    UNROLL for (uint32_t i = 0; i < s.matches; i++)
    {
        const uint32_t lane = s.contexts + s.successors + s.match_lanes * i;
        const cpr_match *match = &m->core->matches[i];
        const int32_t flip = match->path << depth >> 31 ? 0 : -1;
        const int32_t on = match->expected >= 0 ? -1 : 0;
        read_expecting(m, &m->lanes, estimates, lane,
                       lane * CPR_LANE_ENTRIES + match->state * 16 + (depth < 15 ? depth : 15),
                       flip, on, packed);
        if (s.match_lanes > 1)
            read_expecting(m, &m->lanes, estimates, lane + 1,
                           (lane + 1) * CPR_LANE_ENTRIES + match->state, flip, on, packed);
    }
}

/* The last lanes: what the contexts' lines say. */
ALWAYS_INLINE void read_lines(cpr_model *m, const cpr_tree_node *node, cpr_mixing_shape s,
                              packed_inputs *packed)
{
    UNROLL for (uint32_t i = 0; i < s.lines; i++)
    {
        const uint32_t lane = cpr_lanes_of(s) - s.lines + i;
        put_input(
            packed, lane,
            read_lane(m, &m->lanes, m->lines->node, lane, m->core->line[i] + node->in_group - 1u));
    }
}

/* Lanes are learned in whole vectors. What lies behind the last is of no use, and does no harm. */
ALWAYS_INLINE uint32_t whole_vectors(uint32_t lanes)
{
    return (lanes + 7) & ~UINT32_C(7);
}

/* Those of the last `in_lines` lanes are in lines, the others in tables.
 * The steps of an estimate become smaller the more it has learned, from 1/2 to 1/1024. */
ALWAYS_INLINE void learn_lanes(cpr_lanes *lanes, unsigned bit, cpr_estimate *estimates,
                               const int32_t *most, uint32_t count, cpr_estimate *lines,
                               uint32_t in_lines)
{
    for (uint32_t i = 0; i < whole_vectors(count); i++) {
        const uint32_t estimate = lanes->estimate[i];
        const int32_t times = (int32_t)(estimate & 1023);
        const int32_t target = (((int32_t)bit ^ lanes->flip[i]) & 1) << 22;
        const int32_t shift = 1 + (times >= 2) + (times >= 6) + (times >= 12) + (times >= 24) +
                              (times >= 48) + (times >= 96) + (times >= 192) + (times >= 384) +
                              (times >= 768);
        const int32_t step = (target - (int32_t)(estimate >> 10)) >> shift;
        const uint32_t learned = estimate + (((uint32_t)step << 10) & (uint32_t)lanes->on[i]) +
                                 (uint32_t)((times < most[i]) & lanes->on[i]);
        lanes->estimate[i] = learned;
    }
    const uint32_t in_tables = count - in_lines;
    UNROLL for (uint32_t i = 0; i < in_tables; i++) estimates[lanes->index[i]] = lanes->estimate[i];
    UNROLL for (uint32_t i = in_tables; i < count; i++) lines[lanes->index[i]] = lanes->estimate[i];
}

/* ---- networks ---- */

/* What a network says of a node's decision, as an input of the mixer. */
static int32_t network_input(const cpr_predictor *network, uint32_t node)
{
    const float logit = network->logit(network, node);
    return (int32_t)cpr_clampf(256.0f * logit, -CPR_INPUT_LIMIT, CPR_INPUT_LIMIT);
}

/* What it says of a token: the product of its chances along the token's path. */
static int32_t network_guess_input(const cpr_model *m, const cpr_predictor *network, uint32_t token)
{
    const unsigned length = m->vocabulary->depth[token];
    const uint32_t path = m->vocabulary->path[token];
    uint32_t node = 0;
    float chance = 65536.0f;
    for (unsigned d = 0; d < length; d++) {
        const unsigned bit = path >> (length - 1 - d) & 1;
        const float logit = network->logit(network, node);
        chance *= cpr_sigmoidf(bit ? logit : -logit);
        node = (uint32_t)m->vocabulary->nodes[node].child[bit];
    }
    return cpr_stretch(&m->constants.logistic, (uint32_t)cpr_clampf(chance, 0.0f, 65535.0f));
}

/* ---- mixer ---- */

/* The sums of the products of some of the inputs, from `first` on, and their weights of each set,
 * in whole vectors of four sets. */
#ifdef __AVX2__
ALWAYS_INLINE __m256i multiply(const int16_t *input, const int16_t *weight, uint32_t inputs)
{
    __m256i sum = _mm256_setzero_si256();
    UNROLL for (uint32_t i = 0; i < inputs; i += 16)
    {
        const __m256i in = _mm256_load_si256((const __m256i *)(const void *)(input + i));
        const __m256i w = _mm256_load_si256((const __m256i *)(const void *)(weight + i));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(in, w));
    }
    return sum;
}

/* Adding up four vectors at once takes half the instructions of one after the other. */
ALWAYS_INLINE void dot_products(const cpr_model *m, cpr_mixing_shape s, uint32_t first,
                                uint32_t inputs, int32_t sum[CPR_FINAL_INPUTS])
{
    UNROLL for (uint32_t i = 0; i < padded_sets(s); i += 4)
    {
        __m256i part[4];
        UNROLL for (uint32_t j = 0; j < 4; j++) part[j] =
            i + j < s.sets ? multiply(m->input + first, m->row[i + j] + first, inputs)
                           : _mm256_setzero_si256();
        const __m256i pairs = _mm256_hadd_epi32(_mm256_hadd_epi32(part[0], part[1]),
                                                _mm256_hadd_epi32(part[2], part[3]));
        _mm_store_si128(
            (__m128i *)(void *)(sum + i),
            _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1)));
    }
}
#else
ALWAYS_INLINE int32_t dot_product(const int16_t *restrict input, const int16_t *restrict weight,
                                  uint32_t inputs)
{
    int32_t sum = 0;
    VECTORIZE for (uint32_t i = 0; i < inputs; i++) sum += (int32_t)input[i] * weight[i];
    return sum;
}

ALWAYS_INLINE void dot_products(const cpr_model *m, cpr_mixing_shape s, uint32_t first,
                                uint32_t inputs, int32_t sum[CPR_FINAL_INPUTS])
{
    for (uint32_t i = 0; i < padded_sets(s); i++)
        sum[i] = i < s.sets ? dot_product(m->input + first, m->row[i] + first, inputs) : 0;
}
#endif

/* Of all inputs; a sum that 32 bits cannot hold becomes the nearest that they can. */
ALWAYS_INLINE void all_dot_products(const cpr_model *m, cpr_mixing_shape s, uint32_t inputs,
                                    int32_t sum[CPR_FINAL_INPUTS])
{
    dot_products(m, s, 0, inputs < CPR_SUM_INPUTS ? inputs : CPR_SUM_INPUTS, sum);
    UNROLL for (uint32_t first = CPR_SUM_INPUTS; first < inputs; first += CPR_SUM_INPUTS)
    {
        _Alignas(32) int32_t more[CPR_FINAL_INPUTS];
        const uint32_t rest = inputs - first;
        dot_products(m, s, first, rest < CPR_SUM_INPUTS ? rest : CPR_SUM_INPUTS, more);
        for (uint32_t i = 0; i < padded_sets(s); i++) {
            const int64_t total = (int64_t)sum[i] + more[i];
            sum[i] = total > INT32_MAX    ? INT32_MAX
                     : total < -INT32_MAX ? -INT32_MAX
                                          : (int32_t)total;
        }
    }
}

/* weight += input * error, error being scaled to 2^-14 a unit, with weights held in their bounds.
 * Shifted like this, the product is one instruction on most machines. */
ALWAYS_INLINE void train_row(const int16_t *restrict input, int16_t *restrict weight,
                             uint32_t inputs, int16_t error)
{
    VECTORIZE for (uint32_t i = 0; i < inputs; i++)
    {
        const int16_t step = (int16_t)((((int32_t)input[i] * error >> 14) + 1) >> 1);
        int16_t w = (int16_t)(weight[i] + step);
        w = w > CPR_WEIGHT_LIMIT ? CPR_WEIGHT_LIMIT : w;
        weight[i] = w < -CPR_WEIGHT_LIMIT ? -CPR_WEIGHT_LIMIT : w;
    }
}

/* Returns the logit of the mix of the chosen rows. */
ALWAYS_INLINE int32_t mix_inputs(cpr_model *m, cpr_mixing_shape s, uint32_t inputs)
{
    _Alignas(32) int32_t sums[CPR_FINAL_INPUTS];
    all_dot_products(m, s, inputs, sums);
    int32_t total = 0;
    VECTORIZE for (uint32_t i = 0; i < padded_sets(s); i++)
    {
        m->set_logit[i] = cpr_logit_clamp(sums[i] / CPR_WEIGHT_ONE);
        total += m->set_logit[i] * (m->final_row[i] >> 2) >> 10;
    }
    UNROLL for (uint32_t i = 0; i < s.sets; i++) m->set_probability[i] =
        cpr_squash(&m->constants.logistic, m->set_logit[i]);
    return cpr_logit_clamp(total / 16);
}

static int32_t bounded(int32_t value, int32_t limit)
{
    if (value > limit)
        return limit;
    return value < -limit ? -limit : value;
}

ALWAYS_INLINE void train_mixer(cpr_model *m, unsigned bit, cpr_mixing_shape s, uint32_t inputs)
{
    const int32_t target = bit ? 65536 : 0;
    const int32_t final_error = target - (int32_t)m->mixed;
    int32_t *restrict final_row = m->final_row;
    VECTORIZE for (uint32_t i = 0; i < padded_sets(s); i++)
    {
        const int32_t step =
            (m->set_logit[i] * final_error + (1 << (FINAL_RATE - 1))) >> FINAL_RATE;
        final_row[i] = bounded(final_row[i] + step, CPR_FINAL_WEIGHT_LIMIT);
    }
    UNROLL for (uint32_t i = 0; i < s.sets; i++)
    {
        const int32_t error = target - (int32_t)m->set_probability[i];
        train_row(m->input, m->row[i], inputs, (int16_t)(error * 15 / 32));
    }
}

ALWAYS_INLINE void set_rows(cpr_model *m, cpr_mixing_shape s, int16_t *weights, uint32_t inputs,
                            const uint32_t row[CPR_WEIGHT_SETS],
                            const uint32_t rows[CPR_WEIGHT_SETS])
{
    uint32_t first = 0;
    UNROLL for (uint32_t i = 0; i < s.sets; i++)
    {
        m->row[i] = weights + (size_t)(first + row[i]) * inputs;
        first += rows[i];
    }
}

ALWAYS_INLINE void select_rows(cpr_model *m, cpr_mixing_shape s, uint32_t known, uint32_t depth)
{
    const cpr_core_state *core = m->core;
    const uint32_t byte = core->text.last_bytes & 0xff;
    bool expecting = false;
    for (uint32_t i = 0; i < m->profile.shape.matches; i++)
        expecting = expecting || core->matches[i].expected >= 0;
    const uint32_t row[CPR_WEIGHT_SETS] = {
        core->node < CPR_ROWS_NODE ? core->node : CPR_ROWS_NODE - 1,
        core->token_row,
        core->match_bucket * 16 + expecting * 8 + (depth < 7 ? depth : 7),
        known * 32 + depth,
        byte * 16 + (depth < 15 ? depth : 15),
        core->token_row_before,
    };
    static const uint32_t rows[CPR_WEIGHT_SETS] = {CPR_ROWS_NODE,  CPR_ROWS_TOKEN, CPR_ROWS_MATCH,
                                                   CPR_ROWS_KNOWN, CPR_ROWS_BYTE,  CPR_ROWS_TOKEN};
    set_rows(m, s, m->weights, cpr_inputs_of(s), row, rows);
    m->final_row = m->core->final_weights[known * 32 + depth];
}

ALWAYS_INLINE void select_guess_rows(cpr_model *m, cpr_mixing_shape s)
{
    const cpr_core_state *core = m->core;
    const uint32_t row[CPR_WEIGHT_SETS] = {
        (uint32_t)core->guess * UINT32_C(0x9E3779B1) >> 20,
        core->token_row,
        core->match_bucket,
        core->agreement,
        core->text.last_bytes & 0xff,
        core->guesses % CPR_GUESS_ROWS_RECENT,
    };
    static const uint32_t rows[CPR_WEIGHT_SETS] = {CPR_GUESS_ROWS_TOKEN, CPR_GUESS_ROWS_TOKEN,
                                                   CPR_GUESS_ROWS_MATCH, CPR_GUESS_ROWS_AGREEMENT,
                                                   CPR_GUESS_ROWS_BYTE,  CPR_GUESS_ROWS_RECENT};
    set_rows(m, s, m->guess_weights, CPR_GUESS_LANES, row, rows);
    m->final_row = m->core->final_weights[256 + core->confidence];
}

/* ---- secondary estimation ---- */

/* The mean of the mix and of what became of it in some contexts. */
ALWAYS_INLINE uint32_t refine(cpr_model *m, cpr_mixing_shape s, int32_t logit,
                              const uint32_t row[CPR_REFINEMENTS])
{
    const uint32_t position = (uint32_t)(logit + CPR_LOGIT_MAX + 1);
    const uint32_t step = position >> 8, between = position & 255;
    uint32_t sum = m->mixed;
    UNROLL for (uint32_t i = 0; i < s.refinements; i++)
    {
        uint16_t *at = m->refinements + (size_t)row[i] * CPR_REFINE_STEPS + step;
        sum += (at[0] * (256 - between) + at[1] * between) >> 8;
        m->refine_step[i] = at + (between >= 128);
    }
    const uint32_t p = sum / (1 + s.refinements);
    return p < 1 ? 1 : p > 65535 ? 65535 : p;
}

ALWAYS_INLINE void learn_refinements(cpr_model *m, unsigned bit, cpr_mixing_shape s)
{
    UNROLL for (uint32_t i = 0; i < s.refinements; i++)
        cpr_move(m->refine_step[i], bit, REFINE_RATE);
}

ALWAYS_INLINE void prefetch_refinements(const cpr_model *m, cpr_mixing_shape s,
                                        const uint32_t row[CPR_REFINEMENTS])
{
    UNROLL for (uint32_t i = 0; i < s.refinements; i++)
        __builtin_prefetch(m->refinements + (size_t)row[i] * CPR_REFINE_STEPS, 1);
}

ALWAYS_INLINE void address_refinements(const cpr_model *m, cpr_mixing_shape s,
                                       uint32_t row[CPR_REFINEMENTS])
{
    const cpr_core_state *core = m->core;
    const uint32_t byte = core->text.last_bytes & 0xff;
    row[0] = core->node % CPR_REFINE_NODES;
    row[1] = CPR_REFINE_NODES + ((core->node << 8 | byte) * UINT32_C(0x9E3779B1) >> 16);
    prefetch_refinements(m, s, row);
}

ALWAYS_INLINE void address_guess_refinements(const cpr_model *m, cpr_mixing_shape s,
                                             uint32_t row[CPR_REFINEMENTS])
{
    const cpr_core_state *core = m->core;
    const uint32_t byte = core->text.last_bytes & 0xff, guess = (uint32_t)core->guess;
    const uint32_t first = CPR_REFINE_NODES + CPR_REFINE_BYTES;
    row[0] = first + guess % CPR_REFINE_NODES;
    row[1] = first + CPR_REFINE_NODES + ((guess << 8 | byte) * UINT32_C(0x9E3779B1) >> 16);
    prefetch_refinements(m, s, row);
}

/* ---- guesses ---- */

ALWAYS_INLINE void read_guess_lanes(cpr_model *m, cpr_mixing_shape s, packed_inputs *packed)
{
    const cpr_core_state *core = m->core;
    const uint32_t guess = (uint32_t)core->guess;
    UNROLL for (uint32_t i = 0; i < s.successors; i++)
    {
        const cpr_successors *pair = &m->successors[core->successors[i]];
        const uint32_t kind = pair->first == guess                              ? 0
                              : pair->second_count > 0 && pair->second == guess ? 1
                                                                                : 2;
        read_expecting(m, &m->guess_lanes, core->guess_estimates, i,
                       i * CPR_GUESS_LANE_ENTRIES + kind * CPR_SUCCESSOR_STATES +
                           core->expected.state[i],
                       0, pair->first_count > 0 ? -1 : 0, packed);
    }
    UNROLL for (uint32_t i = 0; i < s.matches; i++)
    {
        const cpr_match *match = &core->matches[i];
        const uint32_t lane = s.successors + i;
        read_expecting(m, &m->guess_lanes, core->guess_estimates, lane,
                       lane * CPR_GUESS_LANE_ENTRIES + match->state * 2 +
                           (match->expected == core->guess),
                       0, match->expected >= 0 ? -1 : 0, packed);
    }
}

ALWAYS_INLINE uint32_t predict_guess(cpr_model *m, cpr_mixing_shape s)
{
    uint32_t refinement[CPR_REFINEMENTS];
    address_guess_refinements(m, s, refinement);
    packed_inputs packed = {0};
    read_guess_lanes(m, s, &packed);
    for (uint32_t i = 0; i < s.networks; i++)
        put_input(&packed, s.successors + s.matches + i,
                  network_guess_input(m, m->networks[i], (uint32_t)m->core->guess));
    store_inputs(m, &packed, s.successors + s.matches + s.networks, CPR_GUESS_LANES);
    select_guess_rows(m, s);
    const int32_t logit = mix_inputs(m, s, CPR_GUESS_LANES);
    m->mixed = cpr_squash(&m->constants.logistic, logit);
    return refine(m, s, logit, refinement);
}

/* What a shard or a wrong guess begins with. */
ALWAYS_INLINE void begin_tree(cpr_model *m, cpr_mixing_shape s)
{
    address_groups(m, 0, s);
    find_slots(m, 0, s);
}

/* After a wrong guess nothing expects that token any more. */
static void rule_out(cpr_model *m, int32_t token)
{
    cpr_core_state *core = m->core;
    for (uint32_t i = 0; i < m->profile.shape.matches; i++)
        if (core->matches[i].expected == token)
            core->matches[i].expected = -1;
    for (uint32_t i = 0; i < m->profile.shape.successors; i++) {
        const cpr_successors *s = &m->successors[core->successors[i]];
        core->expected.agrees[0][i] &= -(s->first != token);
        core->expected.agrees[1][i] &= -(s->second != token);
    }
}

ALWAYS_INLINE void train_guess(cpr_model *m, unsigned bit, cpr_mixing_shape s)
{
    cpr_core_state *core = m->core;
    train_mixer(m, bit, s, CPR_GUESS_LANES);
    learn_refinements(m, bit, s);
    learn_lanes(&m->guess_lanes, bit, core->guess_estimates, m->constants.guess_most,
                s.successors + s.matches, NULL, 0);
    core->guesses = core->guesses << 1 | bit;
}

ALWAYS_INLINE int32_t learn_guess(cpr_model *m, unsigned bit, cpr_mixing_shape s)
{
    cpr_core_state *core = m->core;
    const int32_t guess = core->guess;
    train_guess(m, bit, s);
    if (bit) {
        cpr_token_contexts_update(m, (uint32_t)guess);
        cpr_token_contexts_guess(m);
    } else {
        core->guess = -1;
        rule_out(m, guess);
    }
    if (core->guess < 0)
        begin_tree(m, s);
    return bit ? guess : -1;
}

/* ---- learning in the tree ---- */

/* What expected another decision expects nothing more. */
static void narrow(cpr_model *m, unsigned bit, uint32_t depth)
{
    cpr_expected *e = &m->core->expected;
    for (unsigned which = 0; which < 2; which++)
        for (uint32_t i = 0; i < CPR_SUCCESSORS_MAX; i++)
            e->agrees[which][i] &= e->path[which][i] << depth >> 31 == bit ? -1 : 0;
    for (uint32_t i = 0; i < m->profile.shape.matches; i++) {
        cpr_match *match = &m->core->matches[i];
        if (match->path << depth >> 31 != bit)
            match->expected = -1;
    }
}

/* Learns the decision, in the slots that the contexts have for the node's group. */
ALWAYS_INLINE void train_tree(cpr_model *m, unsigned bit, const cpr_tree_node *node,
                              cpr_mixing_shape s)
{
    cpr_core_state *core = m->core;
    train_mixer(m, bit, s, cpr_inputs_of(s));
    learn_lanes(&m->lanes, bit, core->estimates, m->constants.most, cpr_lanes_of(s), m->lines->node,
                s.lines);
    learn_refinements(m, bit, s);
    learn_chances(m, bit, node, s);
    uint8_t *at = histories(m, node);
    UNROLL for (uint32_t i = 0; i < s.contexts; i++) at[core->slot[i]] =
        m->constants.history.next[m->lanes.index[i] & 255][bit];
}

/* ---- the kernel ---- */

ALWAYS_INLINE uint32_t predict_shape(cpr_model *m, cpr_mixing_shape s)
{
    if (m->core->guess >= 0)
        return predict_guess(m, s);
    const cpr_tree_node *node = &m->vocabulary->nodes[m->core->node];
    uint32_t refinement[CPR_REFINEMENTS];
    address_refinements(m, s, refinement);
    packed_inputs packed = {0};
    const uint32_t known = read_contexts(m, node, s, &packed);
    read_successors(m, node->depth, s, &packed);
    read_matches(m, node->depth, s, &packed);
    read_lines(m, node, s, &packed);
    for (uint32_t i = 0; i < s.networks; i++)
        put_input(&packed, cpr_lanes_of(s) + i, network_input(m->networks[i], m->core->node));
    read_chances(m, node, s, &packed);
    store_inputs(m, &packed, cpr_used_inputs_of(s), cpr_inputs_of(s));
    select_rows(m, s, known, node->depth);
    const int32_t logit = mix_inputs(m, s, cpr_inputs_of(s));
    m->mixed = cpr_squash(&m->constants.logistic, logit);
    return refine(m, s, logit, refinement);
}

ALWAYS_INLINE int32_t learn_token(cpr_model *m, unsigned bit, const cpr_tree_node *node,
                                  uint32_t token, cpr_mixing_shape s)
{
    const bool sure = cpr_token_contexts_update(m, token);
    if (!sure)
        address_groups(m, 0, s);
    train_tree(m, bit, node, s);
    cpr_token_contexts_guess(m);
    if (m->core->guess < 0) {
        if (sure)
            address_groups(m, 0, s);
        find_slots(m, 0, s);
    }
    return (int32_t)token;
}

ALWAYS_INLINE int32_t learn_shape(cpr_model *m, unsigned bit, cpr_mixing_shape s)
{
    cpr_core_state *core = m->core;
    if (core->guess >= 0)
        return learn_guess(m, bit, s);
    const cpr_tree_node *node = &m->vocabulary->nodes[core->node];
    const int32_t child = node->child[bit];
    if (child < 0)
        return learn_token(m, bit, node, (uint32_t)~child, s);

    narrow(m, bit, node->depth);
    core->node = (uint32_t)child;
    if (leads_to_groups(&m->vocabulary->nodes[child]))
        address_groups(m, core->node + 1, s);
    train_tree(m, bit, node, s);
    if (leads_to_groups(node))
        find_slots(m, bit, s);
    return -1;
}

ALWAYS_INLINE void begin_shape(cpr_model *m, cpr_mixing_shape s)
{
    cpr_token_contexts_guess(m);
    if (m->core->guess < 0)
        begin_tree(m, s);
}

/* Any shape, of which the compiler knows the bounds. */
ALWAYS_INLINE cpr_mixing_shape shape_of(const cpr_model *m)
{
    const cpr_mixing_shape s = m->profile.shape;
    if (s.contexts > CPR_CONTEXTS_MAX || s.lines > CPR_LINES_MAX ||
        s.successors > CPR_SUCCESSORS_MAX || s.matches > CPR_MATCHES_MAX ||
        s.match_lanes > CPR_MATCH_LANES_MAX || s.sets > CPR_WEIGHT_SETS ||
        s.refinements > CPR_REFINEMENTS || s.networks > CPR_NETWORKS_MAX || s.chances > 1)
        __builtin_unreachable();
    return s;
}

/* The functions for a shape. */
#define FUNCTIONS(name, shape)                                                                     \
    static uint32_t predict_##name(cpr_model *m)                                                   \
    {                                                                                              \
        return predict_shape(m, shape);                                                            \
    }                                                                                              \
    static int32_t learn_##name(cpr_model *m, unsigned bit)                                        \
    {                                                                                              \
        return learn_shape(m, bit, shape);                                                         \
    }                                                                                              \
    static void begin_##name(cpr_model *m)                                                         \
    {                                                                                              \
        begin_shape(m, shape);                                                                     \
    }

FUNCTIONS(balanced, cpr_profiles[CPR_PROFILE_BALANCED].shape)
FUNCTIONS(fast, cpr_profiles[CPR_PROFILE_FAST].shape)
FUNCTIONS(neural, cpr_profiles[CPR_PROFILE_NEURAL].shape)
FUNCTIONS(any, shape_of(m))
_Static_assert(CPR_PROFILE_COUNT == 3, "each profile has its functions");

const cpr_mixing_kernel CPR_IN_KERNEL(cpr_mixing_kernel_) = {
    .of_profile = {[CPR_PROFILE_BALANCED] = {predict_balanced, learn_balanced, begin_balanced},
                   [CPR_PROFILE_FAST] = {predict_fast, learn_fast, begin_fast},
                   [CPR_PROFILE_NEURAL] = {predict_neural, learn_neural, begin_neural}},
    .of_any = {predict_any, learn_any, begin_any},
};

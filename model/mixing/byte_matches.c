/* byte_matches.c - see byte_matches.h; MODEL.md, section 10.1. */
#include "byte_matches.h"

#include "token_matches.h"
#include "word_split.h"

#define HASH_SHIFT 4          /* 64 / 4 bytes have a part in the hash */
#define NOT_SAMPLED_SHIFT 61u /* one place in eight is remembered, chosen by its hash */
#define BYTES_LEAST 16u       /* that agree */
#define BYTES_COMPARED 32u
#define SPACES_COMPARED 128u
#define BYTES_AHEAD (CPR_WORD_MAX_BYTES + 1)
#define WIDTH_LEAST 16u
#define SPACES_SKIPPED 64u
#define REACH_MARGIN 1024u
#define LOST_MISSES 255u /* all of the last eight tokens */
#define HITS_RATE 6
#define HEAD_PLACES ((UINT32_C(1) << CPR_BYTE_BITS_MAX) - 1)

static bool is_space(uint8_t byte)
{
    return cpr_classify(byte) == CPR_CLASS_SPACE;
}

static uint8_t byte_at(const cpr_model *m, uint32_t place)
{
    return m->byte_history[place & m->byte_mask];
}

/* `place` and what lies before it are still in the history, and it is not the next byte. */
static bool place_is_in_reach(const cpr_model *m, uint32_t place)
{
    return m->core->bytes.seen - place - 1 < m->byte_mask - REACH_MARGIN;
}

/* Bytes that agree before two places, white space left out. */
static uint32_t agreeing_bytes(const cpr_model *m, uint32_t before, uint32_t now)
{
    uint32_t n = 0, spaces = 0;
    while (n < BYTES_COMPARED && spaces < SPACES_COMPARED && before > 0) {
        const uint8_t a = byte_at(m, before - 1), b = byte_at(m, now - 1);
        if (a == b) {
            before--;
            now--;
            n += !is_space(a);
            spaces += is_space(a);
        } else if (is_space(a) || is_space(b)) {
            before -= is_space(a);
            now -= !is_space(a);
            spaces++;
        } else {
            break;
        }
    }
    return n;
}

/* Where a match stands, and whether the text has just had white space that it has not. */
typedef struct follower {
    uint32_t place;
    bool apart;
} follower;

/* Returns false if the match has another byte, and neither of the two is white space. */
static bool follow_byte(const cpr_model *m, follower *f, uint8_t byte)
{
    f->apart = byte_at(m, f->place) != byte && is_space(byte);
    if (f->apart)
        return true;
    uint32_t place = f->place;
    if (byte_at(m, place) != byte)
        while (is_space(byte_at(m, place)) && place - f->place < SPACES_SKIPPED)
            place++;
    const bool right = byte_at(m, place) == byte;
    f->place = right ? place + 1 : f->place + 1;
    return right;
}

static void follow_match(cpr_model *m, cpr_match *match, uint32_t token)
{
    cpr_byte_state *s = &m->core->bytes;
    follower f = {match->next, false};
    bool right = true;
    for (uint32_t i = m->vocabulary->start[token]; i < m->vocabulary->start[token + 1]; i++)
        right = follow_byte(m, &f, m->vocabulary->text[i]) && right;
    const uint32_t bytes = m->vocabulary->start[token + 1] - m->vocabulary->start[token];
    const bool hit = right && s->told == (int32_t)token;
    match->misses = (match->misses << 1 | !hit) & 0xff;
    match->length = right ? match->length + bytes : match->length / 4;
    match->next = match->misses == LOST_MISSES ? 0 : f.place;
    s->apart = f.apart;
}

static uint32_t *byte_head(const cpr_model *m, uint64_t key)
{
    return m->byte_heads + (key >> 32 & m->byte_heads_mask);
}

/* Two lines of one length make a third one likely. */
static void follow_line(cpr_byte_state *s, uint8_t byte)
{
    s->column++;
    if (byte != '\n')
        return;
    const uint32_t length = s->column - 1;
    s->width = length == s->line_length && length >= WIDTH_LEAST ? length : 0;
    s->line_length = length;
    s->column = 0;
}

static void append_byte(cpr_model *m, uint8_t byte)
{
    cpr_byte_state *s = &m->core->bytes;
    m->byte_history[s->seen++ & m->byte_mask] = byte;
    follow_line(s, byte);
    if (is_space(byte))
        return;
    s->hash = (s->hash + byte + 1) * (UINT64_C(0x9E3779B97F4A7C15) << HASH_SHIFT);
    if (s->hash >> NOT_SAMPLED_SHIFT != 0)
        return;
    s->key = (s->hash ^ s->hash >> 31) * UINT64_C(0xD1B54A32D192ED03);
    s->key_place = s->seen;
    __builtin_prefetch(byte_head(m, s->key), 1);
}

/* How many bytes of the word that the text ends with are there. It may go on, unless it is as long
 * as words become. */
static void follow_word(cpr_byte_state *s, const uint8_t *bytes, uint32_t count)
{
    const uint32_t class = cpr_classify(bytes[count - 1]);
    uint32_t before =
        class == s->word_class && s->word_bytes < CPR_WORD_MAX_BYTES ? s->word_bytes : 0;
    if (class == CPR_CLASS_LETTER && bytes[0] == ' ')
        before = 0;
    else if (class == CPR_CLASS_LETTER && s->word_class == CPR_CLASS_SPACE && s->ends_blank)
        before = 1; /* the space in front of letters belongs to them */
    s->word_bytes = before + count;
    s->word_class = class;
    s->ends_blank = bytes[count - 1] == ' ';
}

/* A head is six bits of a key, and the lowest 26 of a place. */
static void find_match(cpr_model *m, cpr_match *match, uint64_t key, uint32_t now)
{
    uint32_t *head = byte_head(m, key);
    const uint32_t check = (uint32_t)key & ~HEAD_PLACES, found = *head;
    *head = check | (now & HEAD_PLACES);
    if ((match->next != 0 && match->length >= BYTES_LEAST) || (found & ~HEAD_PLACES) != check)
        return;
    follower f = {now - ((now - found) & HEAD_PLACES), false};
    if (f.place == now || f.place == 0 || !place_is_in_reach(m, f.place))
        return;
    uint32_t length = agreeing_bytes(m, f.place, now);
    bool right = length >= BYTES_LEAST;
    for (; right && now != m->core->bytes.seen; now++, length++)
        right = follow_byte(m, &f, byte_at(m, now));
    if (!right)
        return;
    *match = (cpr_match){.next = f.place, .length = length, .expected = -1};
    m->core->bytes.apart = f.apart;
    m->core->bytes.ahead_count = 0;
}

void cpr_byte_matches_append(cpr_model *m, uint32_t token)
{
    cpr_core_state *core = m->core;
    cpr_byte_state *s = &core->bytes;
    const uint32_t which = m->profile.shape.matches;
    cpr_match *match = &core->matches[which];
    const uint64_t key = s->key;
    const uint32_t key_place = s->key_place;
    if (s->told >= 0)
        cpr_move(&core->match_hits[which][match->state], s->told == (int32_t)token, HITS_RATE);
    if (match->next != 0)
        follow_match(m, match, token);
    s->ahead_at++;
    if (s->told != (int32_t)token)
        s->ahead_count = 0;
    s->key_place = 0;
    const uint32_t start = m->vocabulary->start[token], end = m->vocabulary->start[token + 1];
    for (uint32_t i = start; i < end; i++)
        append_byte(m, m->vocabulary->text[i]);
    follow_word(s, m->vocabulary->text + start, end - start);
    if (key_place != 0) /* one token late, so that memory has time to answer */
        find_match(m, match, key, key_place);
    if (match->next != 0 && !place_is_in_reach(m, match->next))
        match->next = 0;
}

/* The bytes that come next if the text goes on as at `place`. Where the text has lines of one
 * length, they end there, and nowhere else. Returns their number. */
static uint32_t copy_ahead(const cpr_model *m, uint32_t place, uint8_t *to)
{
    const cpr_byte_state *s = &m->core->bytes;
    uint32_t n = 0, column = s->column;
    while (n < BYTES_AHEAD && place_is_in_reach(m, place)) {
        const uint8_t byte = byte_at(m, place);
        if (s->width > 0 && column == s->width) {
            to[n++] = '\n';
            column = 0;
        } else {
            if (s->width == 0 || byte != '\n') {
                to[n++] = byte;
                column++;
            }
            place++;
        }
    }
    return n;
}

/* The tokens of the rest of the word, if the text goes on as at `place`; of the next word, if this
 * one ends here. */
static void cut_ahead(cpr_model *m, uint32_t place)
{
    cpr_byte_state *s = &m->core->bytes;
    uint8_t word[CPR_WORD_MAX_BYTES + BYTES_AHEAD];
    const uint32_t before = s->word_bytes < CPR_WORD_MAX_BYTES ? s->word_bytes : 0;
    for (uint32_t i = 0; i < before; i++)
        word[i] = byte_at(m, s->seen - before + i);
    const uint32_t ahead = copy_ahead(m, place, word + before);
    s->ahead_at = s->ahead_count = 0;
    if (ahead == 0)
        return;
    const size_t whole = before > 0 ? cpr_word_length(word, before + ahead) : 0;
    const size_t bytes = whole > before ? whole - before : cpr_word_length(word + before, ahead);
    s->ahead_count =
        (uint32_t)cpr_vocabulary_cut_word(m->vocabulary, word + before, bytes, s->ahead);
}

static void look_ahead(cpr_model *m, cpr_match *match)
{
    cpr_byte_state *s = &m->core->bytes;
    if (s->apart)
        while (is_space(byte_at(m, match->next)) && place_is_in_reach(m, match->next))
            match->next++;
    s->apart = false;
    cut_ahead(m, match->next);
}

/* Which of seven kinds of match this is. */
static uint32_t byte_match_bucket(uint32_t class)
{
    return class < 8 ? class / 4 : class < 12 ? 2 : class - 9;
}

void cpr_byte_matches_expect(cpr_model *m)
{
    cpr_core_state *core = m->core;
    cpr_byte_state *s = &core->bytes;
    cpr_match *match = &core->matches[m->profile.shape.matches];
    match->expected = -1;
    s->told = -1;
    if (match->next != 0 && s->ahead_at >= s->ahead_count)
        look_ahead(m, match);
    if (match->next == 0 || s->ahead_count == 0)
        return;
    const uint32_t token = s->ahead[s->ahead_at];
    s->told = match->expected = (int32_t)token;
    match->path = m->vocabulary->path[token] << (32 - m->vocabulary->depth[token]);
    match->state = cpr_match_state(match->length / 2, match->misses);
    if (core->match_bucket == 0 || core->matches[0].expected < 0)
        core->match_bucket = CPR_BYTE_MATCH_BUCKETS + byte_match_bucket(match->state / 4);
}

/* model.h - the predictor: tokens, their code tree, and the probability of every decision in it.
 *
 * Text is cut into tokens of a vocabulary that was learned from a sample of the corpus. A token is
 * a leaf of a binary code tree; coding it means answering, from the root down, one binary decision
 * a node. Where the model is nearly sure of the next token, it asks first whether it is that one.
 * The model gives the probability of each decision and learns its outcome. Two models that were
 * created alike and have learned the same decisions give the same probabilities on every machine:
 * all arithmetic is on integers, but for the network of profile `neural`, see sru.h. MODEL.md
 * is the normative description.
 *
 * Every function is local. An object may be used by one thread at a time; a vocabulary is
 * immutable and may be shared. Where nothing else is said, NULL is returned only if memory ran out,
 * and every cpr_..._free() accepts NULL.
 */
#ifndef CPR_MODEL_H
#define CPR_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- profiles ------------------------------------------------------------------------------ */

/* A set of model parameters. */
typedef struct cpr_profile cpr_profile;

/* The profile of that name, or NULL if there is none. Not to be freed. */
const cpr_profile *cpr_profile_find(const char *name);

/* The i-th profile, from 0; NULL past the last. */
const cpr_profile *cpr_profile_at(unsigned i);

const char *cpr_profile_name(const cpr_profile *profile);
const char *cpr_profile_summary(const cpr_profile *profile); /* one line for --help */
bool cpr_profile_has_network(const cpr_profile *profile);

/* Versions of the components. One is raised when its arithmetic changes, so that what it coded can
 * no longer be decoded. Each kind of network has a version of its own. */
#define CPR_TOKENS_VERSION 1u /* vocabulary, code tree and parser */
#define CPR_MIXING_VERSION 2u

/* Of the presets' parameters, and of what lessons make of a text: no archive holds it. */
#define CPR_PRESETS_VERSION 8u

#define CPR_DESCRIPTOR_MAX_BYTES 4200u

/* A component without parameters that is none of the model's: the caller knows it. */
typedef struct cpr_component {
    const char *name;
    uint32_t version;
} cpr_component;

/* What decoding needs to know of a profile, as text: components with their versions and parameters,
 * such as "tokens 1; mixing 1 contexts=1,0,6 lines=1 ...; network 1 kind=sru width=256 layers=3".
 * Components are separated by "; ", a component's words by single spaces; a value is a number or
 * a list of numbers; all is in a fixed order, in printable ASCII. The `count` components of
 * `others` (NULL if it is 0) come first. */
void cpr_profile_descriptor(const cpr_profile *profile, const cpr_component *others, size_t count,
                            char out[CPR_DESCRIPTOR_MAX_BYTES + 1]);

typedef enum cpr_descriptor_verdict {
    CPR_DESCRIPTOR_KNOWN,
    CPR_DESCRIPTOR_UNKNOWN,   /* it needs what this program does not have */
    CPR_DESCRIPTOR_MALFORMED, /* it is none */
    CPR_DESCRIPTOR_NO_MEMORY,
} cpr_descriptor_verdict;

/* The profile that a descriptor stands for, to be freed with cpr_profile_free(). It has the name of
 * the preset that it equals, else "custom". NULL: *verdict says why, and `problem`, of at most
 * problem_bytes (at least 1), names all that is needed and not there ("mixing 2 (this program has
 * mixing 1), lstm 1 (unknown)"), or what is malformed. It is printable ASCII.
 *
 * No descriptor can harm a model. But it may ask for a hundred times max_bytes of memory: check
 * cpr_model_memory() before cpr_model_create(). */
cpr_profile *cpr_profile_parse(const char *descriptor, const cpr_component *others, size_t count,
                               cpr_descriptor_verdict *verdict, char *problem,
                               size_t problem_bytes);
void cpr_profile_free(cpr_profile *profile);

/* Tokens (256 to 65536) and sample bytes that suit a corpus of that many bytes. */
uint32_t cpr_profile_vocabulary_size(const cpr_profile *profile, uint64_t corpus_bytes);
uint64_t cpr_profile_sample_bytes(const cpr_profile *profile, uint64_t corpus_bytes);

/* ---- vocabulary ---------------------------------------------------------------------------- */

/* How often each word occurs in a sample. Words are maximal runs of one class of bytes; which rank
 * counted which part of the sample does not matter once the counts are merged. */
typedef struct cpr_word_counts cpr_word_counts;

cpr_word_counts *cpr_word_counts_create(void);
void cpr_word_counts_free(cpr_word_counts *counts);

/* Counts the words of one block of the sample. False: out of memory. */
bool cpr_word_counts_add(cpr_word_counts *counts, const uint8_t *text, size_t bytes);

/* Counts as bytes to send to another rank: malloc()ed, owned by the caller, same for equal counts.
 * NULL: out of memory. */
uint8_t *cpr_word_counts_pack(const cpr_word_counts *counts, size_t *bytes);

/* Adds counts packed by another rank. False: out of memory or not such bytes. */
bool cpr_word_counts_merge(cpr_word_counts *counts, const uint8_t *packed, size_t bytes);

#define CPR_VOCABULARY_MAX_TOKENS 65536u
#define CPR_TOKEN_MAX_BYTES 32u

/* Tokens in the order of their bytes, and their code tree. All 256 single bytes are tokens. */
typedef struct cpr_vocabulary cpr_vocabulary;

/* The 256 single bytes, equally likely. */
cpr_vocabulary *cpr_vocabulary_create_bytes(void);

/* Byte-pair merges (Sennrich et al. 2016, arXiv:1508.07909) on the counted words, at most
 * max_tokens tokens; a function of the counts alone. */
cpr_vocabulary *cpr_vocabulary_learn(const cpr_word_counts *counts, uint32_t max_tokens);

/* The same, but single bytes where longer tokens would save little: in sequences of nucleotides,
 * say, they only hide what is alike. */
cpr_vocabulary *cpr_vocabulary_fit(const cpr_word_counts *counts, uint32_t max_tokens);

/* The vocabulary that suits the profile and a corpus of that many bytes. NULL: out of memory. */
cpr_vocabulary *cpr_profile_vocabulary(const cpr_profile *profile, const cpr_word_counts *counts,
                                       uint64_t corpus_bytes);
void cpr_vocabulary_free(cpr_vocabulary *vocabulary);

uint32_t cpr_vocabulary_tokens(const cpr_vocabulary *vocabulary);

/* The bytes of a token (1 to CPR_TOKEN_MAX_BYTES of them), owned by the vocabulary. */
const uint8_t *cpr_vocabulary_token(const cpr_vocabulary *vocabulary, uint32_t token,
                                    size_t *bytes);

/* The vocabulary as bytes, for the archive: malloc()ed, owned by the caller. NULL: out of memory.*/
uint8_t *cpr_vocabulary_pack(const cpr_vocabulary *vocabulary, size_t *bytes);

/* NULL if memory ran out, which errno tells as ENOMEM, or if the bytes are not a packed vocabulary:
 * EINVAL. */
cpr_vocabulary *cpr_vocabulary_unpack(const uint8_t *packed, size_t bytes);

/* The decisions that lead to a token: the lowest *length bits of the result, first decision in the
 * highest of them. *length is 1 to 32. */
uint32_t cpr_vocabulary_path(const cpr_vocabulary *vocabulary, uint32_t token, unsigned *length);

/* ---- parser -------------------------------------------------------------------------------- */

/* Cuts blocks of text into tokens. What a block becomes depends on its bytes alone. */
typedef struct cpr_parser cpr_parser;

cpr_parser *cpr_parser_create(const cpr_vocabulary *vocabulary);
void cpr_parser_free(cpr_parser *parser);

/* Bytes of memory of a parser. */
uint64_t cpr_parser_memory(void);

/* Cuts a block into tokens; returns their number. `tokens` has room for `bytes` of them. */
size_t cpr_parser_parse(cpr_parser *parser, const uint8_t *text, size_t bytes, uint16_t *tokens);

/* ---- lesson -------------------------------------------------------------------------------- */

/* A taught network does not learn from the text that it codes (but for the vectors of its nodes):
 * its weights come from a lesson that was held before, and that all ranks hold together. */

/* Whether the profile has a taught network. */
bool cpr_profile_is_taught(const cpr_profile *profile);

/* Bytes of the corpus that a lesson reads, by the rule of MODEL.md; 0: a lesson costs more than it
 * brings, or the profile knows none. */
uint64_t cpr_profile_lesson_bytes(const cpr_profile *profile, uint64_t corpus_bytes);

/* The profile to code a corpus with after a lesson of that many bytes. Without one (0) the network
 * learns from the text while it codes. Not to be freed. */
const cpr_profile *cpr_profile_after_lesson(const cpr_profile *profile, uint64_t corpus_bytes,
                                            uint64_t lesson_bytes);

/* Weights of a taught network, immutable, for all models of one archive. */
typedef struct cpr_weights cpr_weights;

/* From bytes that cpr_lesson_pack() made for an equal profile and vocabulary. NULL if memory ran
 * out, which errno tells as ENOMEM, or if they are not such bytes: EINVAL. */
cpr_weights *cpr_weights_unpack(const cpr_profile *profile, const cpr_vocabulary *vocabulary,
                                const uint8_t *packed, size_t bytes);
void cpr_weights_free(cpr_weights *weights);

/* The network in training. The lesson is made of steps, in each of which every stream reads up to
 * CPR_LESSON_SEGMENT tokens of its own part of the sample. Which rank reads for which stream does
 * not matter: the streams' gradients are integers, and their sums are exact. */
typedef struct cpr_lesson cpr_lesson;

#define CPR_LESSON_SEGMENT 128u
#define CPR_LESSON_STREAMS_MAX 256u

/* Streams of a lesson that reads that many bytes. */
uint32_t cpr_lesson_streams(uint64_t lesson_bytes);

/* Ranks that hold a lesson in memory that they share: each reads for its own streams and does its
 * part of every step. A lesson has one team or several. */
typedef struct cpr_team {
    uint32_t member, members; /* which of how many */
    uint32_t workers;         /* the first so many share out the steps: as many as every team has */
    void *memory;             /* cpr_lesson_shared_bytes() of zeros, which begin on a cache line */
    void *context;
    /* COLLECTIVE among the members: returns when all have called it. */
    void (*meet)(void *context);
    /* Sums over all teams in place, COLLECTIVE among workers of the same number. NULL: there is one
     * team. */
    void (*unite)(void *context, uint64_t *words, size_t count); /* bitwise or */
    void (*add)(void *context, int16_t *values, size_t count);   /* no sum overflows */
} cpr_team;

/* Bytes of memory that a team of so many members shares. Those of one member more are behind the
 * others', and are the ones that it writes to most. */
size_t cpr_lesson_shared_bytes(const cpr_profile *profile, const cpr_vocabulary *vocabulary,
                               uint32_t members);

/* A lesson at its beginning, for a profile that is taught. The vocabulary must outlive it, and the
 * team's memory. Before any member uses its lesson, member 0 must have created its own. team: NULL
 * if one reads for all streams. NULL: out of memory, or cpr_model_load() fails. */
cpr_lesson *cpr_lesson_create(const cpr_profile *profile, const cpr_vocabulary *vocabulary,
                              uint32_t streams, const cpr_team *team);
void cpr_lesson_free(cpr_lesson *lesson);

/* Bytes of memory of such a lesson with the largest vocabulary of its profile, within 1 %, without
 * a team. */
uint64_t cpr_lesson_memory(const cpr_profile *profile, uint32_t streams);

/* A stream's next tokens, at most CPR_LESSON_SEGMENT; their gradients are added to those of this
 * step. At most once a stream and step. */
void cpr_lesson_read(cpr_lesson *lesson, uint32_t stream, const uint16_t *tokens, size_t count);

/* Ends a step, COLLECTIVE among all members of all teams, which must have met since they read: adds
 * up all gradients and changes the weights, alike in all teams. progress: how much of the sample
 * all streams together have read when the step ends, 0 to 65536, the same for all. */
void cpr_lesson_step(cpr_lesson *lesson, uint32_t progress);

/* What all have alike between two steps, and what belongs to one stream: each one block of memory,
 * to be saved, sent, and copied back into a lesson that was created alike on a machine of the same
 * byte order. A team has one state. */
size_t cpr_lesson_state_bytes(const cpr_lesson *lesson);
void *cpr_lesson_state(cpr_lesson *lesson);
size_t cpr_lesson_stream_bytes(const cpr_lesson *lesson);
void *cpr_lesson_stream(cpr_lesson *lesson, uint32_t stream);

/* After cpr_lesson_state() was written to, by the same member, before any other uses its lesson. */
void cpr_lesson_restored(cpr_lesson *lesson);

/* What a stream's text has cost so far, were it coded by the network alone as it was when it read
 * it: units of 2^-16 bit. */
uint64_t cpr_lesson_loss(const cpr_lesson *lesson, uint32_t stream);

/* The weights as bytes, the same on all ranks: malloc()ed, owned by the caller. NULL: out of
 * memory. */
uint8_t *cpr_lesson_pack(const cpr_lesson *lesson, size_t *bytes);

/* ---- model --------------------------------------------------------------------------------- */

typedef struct cpr_model cpr_model;

/* A model in its initial state, for at most that many bytes of text from there on (tables are no
 * larger than so much text can fill). weights: of the profile's taught network, NULL if it has
 * none. They and the vocabulary must outlive the model, the profile need not. NULL if memory ran
 * out, or if cpr_model_load() fails. */
cpr_model *cpr_model_create(const cpr_profile *profile, const cpr_vocabulary *vocabulary,
                            const cpr_weights *weights, uint64_t max_bytes);
void cpr_model_free(cpr_model *model);

/* Bytes of memory of such a model with the largest vocabulary of its profile, within 1 %. */
uint64_t cpr_model_memory(const cpr_profile *profile, uint64_t max_bytes);

/* The dimensions of every table of such a model's state, with a vocabulary of that many tokens: one
 * line, " name=COUNTxBYTES" a table, for tests that pin them. malloc()ed, owned by the caller.
 * NULL: out of memory. */
char *cpr_model_tables(const cpr_profile *profile, uint32_t tokens, uint64_t max_bytes);

/* Back to the initial state. */
void cpr_model_reset(cpr_model *model);

/* The next decision on the way to `token`: what cpr_model_learn() is to be told if this is the
 * token that comes. Only for the encoder; the token must fit to the decisions since the last token.
 */
unsigned cpr_model_decision(const cpr_model *model, uint32_t token);

/* Tells the model which tokens come next. Nothing that it says depends on it, but the network of
 * profile `neural` is faster when it knows. `tokens` must stay as they are until they have come. */
void cpr_model_expect(cpr_model *model, const uint16_t *tokens, size_t count);

/* Probability that the next decision is 1, in units of 2^-16, from 1 to 65535. */
uint32_t cpr_model_predict(cpr_model *model);

/* Learns the decision that was predicted last. Returns the token that it completed, or -1. Must
 * follow each cpr_model_predict(). */
int32_t cpr_model_learn(cpr_model *model, unsigned bit);

/* From now on taught networks rest: they say nothing and do not learn, which takes no time, or they
 * take part again, as at the beginning of a text. A model begins awake. */
void cpr_model_rest(cpr_model *model, bool rest);

/* What all tokens since the initial state would have cost if the first network alone had predicted
 * them, in units of 2^-16 bit; 0 if the model has no network. */
uint64_t cpr_model_network_loss(const cpr_model *model);

/* The state between two tokens as one block of memory, to be saved and later copied back into a
 * model that was created alike, on a machine of the same byte order. After it was written to,
 * cpr_model_restored() brings into line with it what the model keeps beside it. */
size_t cpr_model_state_bytes(const cpr_model *model);
void *cpr_model_state(cpr_model *model);
void cpr_model_restored(cpr_model *model);

/* Name of the instruction set that the model's kernels run on ("avx2", ...). Results are the same
 * on all of them. */
const char *cpr_model_kernel(void);

/* Chooses OpenBLAS's kernels and its number of threads, one, unless OPENBLAS_CORETYPE and
 * OPENBLAS_NUM_THREADS are in the environment already: it puts them there, and so is to be called
 * before there are other threads. Loads nothing. */
void cpr_model_prepare(void);

/* Loads what models of the profile need beside memory: OpenBLAS if there is a network, else
 * nothing. NULL: it is there. Otherwise one line that says what is missing, not to be freed;
 * *no_memory: whether that is memory. */
const char *cpr_model_load(const cpr_profile *profile, bool *no_memory);

/* Name of the kernels with which OpenBLAS computes the products of the profile's network
 * ("Haswell", ...), for which it is loaded; "none" without a network, "missing" if it cannot be
 * loaded. Results are the same with all of them. */
const char *cpr_model_blas(const cpr_profile *profile);

#endif

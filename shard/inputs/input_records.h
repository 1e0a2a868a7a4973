/* input_records.h - inside shard/: what is known of the files that inputs are. */
#ifndef CPR_INPUT_RECORDS_H
#define CPR_INPUT_RECORDS_H

#include "inputs.h"

/* What becomes of a file. */
typedef enum cpr_input_outcome {
    CPR_INPUT_KEPT = 0,    /* it is part of the corpus as it is */
    CPR_INPUT_DECODED = 1, /* its text is */
    CPR_INPUT_TAR = 2,     /* the members of the tar that its text is, and the rest of the tar */
    CPR_INPUT_LEFT_OUT = 3 /* nothing is */
} cpr_input_outcome;

/* A member of a tar. */
typedef struct cpr_input_member {
    const char *path;   /* in the tar, and safe */
    const char *target; /* of a symbolic link, else "" */
    uint64_t bytes;
    uint64_t text; /* where its bytes begin in the text */
    int64_t mtime_seconds;
    uint32_t mtime_nanoseconds;
    uint32_t mode; /* 07777 */
    cpr_file_type type;
} cpr_input_member;

/* What is known of a file. */
typedef struct cpr_input_record {
    const char *name; /* of the file in the list: its member path there */
    uint64_t file_bytes;
    int64_t mtime_seconds;
    uint32_t mtime_nanoseconds;
    uint32_t change;
    cpr_input_outcome outcome;
    cpr_input_kind kind;
    uint64_t text_bytes;
    cpr_hash128 file_hash; /* of the file's bytes; zero if it is kept */
    const char *note;      /* a warning, or "" */
    uint64_t point_count;
    uint64_t member_count;
    const uint8_t *points;  /* packed */
    const uint8_t *members; /* packed */
    size_t members_bytes;
} cpr_input_record;

/* Records, one behind the other, as bytes that other ranks and later runs can read. All zero: none.
 */
typedef struct cpr_input_records {
    uint8_t *bytes;
    size_t used;
    size_t capacity;
    uint64_t count;
} cpr_input_records;

void cpr_input_records_free(cpr_input_records *records);

/* Adds bytes of records, such as those of another rank. CPR_ERR_NO_MEMORY; CPR_ERR_DAMAGED: they
 * are no records. */
cpr_status cpr_input_records_merge(cpr_input_records *records, const uint8_t *bytes, size_t count,
                                   cpr_error *error);

/* The record at byte *at, which it moves on to the next one. It points into the records, until one
 * is added. False at the end. */
bool cpr_input_records_next(const cpr_input_records *records, size_t *at, cpr_input_record *record);

/* Point i of a record; the member at byte *at of a record's members, which it moves on. */
cpr_seek_point cpr_input_record_point(const cpr_input_record *record, uint64_t i);
cpr_input_member cpr_input_record_member(const cpr_input_record *record, size_t *at);

/* ---- writing -------------------------------------------------------------------------------- */

/* A record is added in this order: begin; points and members as they come; end. `facts` has all but
 * counts, points and members. After a failure, or cancel, the records are as before. */
typedef struct cpr_input_writer {
    cpr_input_records *records;
    size_t start;
    uint64_t point_count;
    uint8_t *points;
    size_t point_capacity;
    uint64_t member_count;
    size_t members_start;
    bool failed; /* out of memory */
} cpr_input_writer;

void cpr_input_writer_begin(cpr_input_writer *writer, cpr_input_records *records, const char *name);
void cpr_input_writer_point(cpr_input_writer *writer, cpr_seek_point point);
void cpr_input_writer_member(cpr_input_writer *writer, const cpr_input_member *member);
cpr_status cpr_input_writer_end(cpr_input_writer *writer, const cpr_input_record *facts,
                                cpr_error *error);
void cpr_input_writer_cancel(cpr_input_writer *writer);

#endif

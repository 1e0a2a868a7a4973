/* node_memory.h - memory that the ranks of a node share. */
#ifndef CPR_NODE_MEMORY_H
#define CPR_NODE_MEMORY_H

#include "ranks.h"

typedef struct cpr_node_memory {
    uint8_t *at;  /* on a page, zero at first; NULL: there is none */
    size_t bytes; /* there */
    int owner;    /* the rank whose memory it is: this one, or a lower one */
    int fd;       /* of the file that is mapped; -1: no file */
} cpr_node_memory;

/* COLLECTIVE. As many bytes on all ranks of a node. They get the memory of the lowest of them; a
 * rank that cannot get at it has its own. None of it is taken before it is written to. To be closed
 * after a failure, too. `purpose` is what an error says that it is for. */
cpr_status cpr_node_memory_open(cpr_ranks *ranks, size_t bytes, const char *purpose,
                                cpr_node_memory *memory, cpr_error *error);

/* Local. */
void cpr_node_memory_close(cpr_node_memory *memory);

/* Local. Takes some of it now: a page that cannot be had later would kill the process. Returns 0 or
 * an errno. */
int cpr_node_memory_claim(const cpr_node_memory *memory, size_t at, size_t bytes);

#endif

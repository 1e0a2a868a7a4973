/* unknown_processor.c - to be preloaded: OpenBLAS does not know the processor, and says that it
 * takes its oldest kernels, unless it is told which ones to take. */
#include <stdlib.h>

char *openblas_get_corename(void);

char *openblas_get_corename(void)
{
    static char oldest[] = "Prescott";
    char *wanted = getenv("OPENBLAS_CORETYPE");
    return wanted ? wanted : oldest;
}

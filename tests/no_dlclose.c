/* no_dlclose.c - in builds with AddressSanitizer: libraries stay loaded until the process ends, so
 * that the leak report can name them. */
int dlclose(void *library);

int dlclose(void *library)
{
    (void)library;
    return 0;
}

/* Extragradient and RAPP by hand. Every function takes its operator and projection as constants
   and is inlined, so each exported loop is one function without calls (but the one to BLAS). */
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))

typedef struct {
    const double *data;    /* of the operator: entries, then q; sparse: q, then entries */
    const uint32_t *index; /* row starts, then columns */
    const double *box;     /* lower ends, then upper ends */
} problem;

typedef void (*operator_t)(long d, const double *z, double *out, const problem *p);
typedef void (*resolvent_t)(long d, double *z, const problem *p);

INLINE void forsaken(long d, const double *z, double *out, const problem *p) {
    double x = z[0], y = z[1], c = p->data[0], h = p->data[1];
    double x2 = x * x, y2 = y * y;
    out[0] = y - c + x * (h + x2 * (x2 - 2));
    out[1] = y * (h + y2 * (y2 - 2)) - x;
}

INLINE void rows(long d, const double *z, double *out, const problem *p) {
    for (long i = 0; i < d; i++) {
        double total = p->data[d * d + i];
        for (long j = 0; j < d; j++) total += p->data[i * d + j] * z[j];
        out[i] = total;
    }
}

INLINE void columns(long d, const double *restrict z, double *restrict out, const problem *p) {
    const double *restrict data = p->data;
    for (long i = 0; i < d; i++) out[i] = data[d * d + i];
    for (long j = 0; j < d; j++)
        for (long i = 0; i < d; i++) out[i] += data[j * d + i] * z[j];
}

typedef void (*dgemv_t)(const char *, const int *, const int *, const double *, const double *,
                        const int *, const double *, const int *, const double *, double *,
                        const int *);
static dgemv_t dgemv;
void use_dgemv(void *address) { dgemv = (dgemv_t)address; }

INLINE void blas(long d, const double *z, double *out, const problem *p) {
    int n = (int)d, step = 1;
    double one = 1;
    for (long i = 0; i < d; i++) out[i] = p->data[d * d + i];
    dgemv("N", &n, &n, &one, p->data, &n, z, &step, &one, out, &step);
}

INLINE void csr(long d, const double *restrict z, double *restrict out, const problem *p) {
    const double *restrict values = p->data + d;
    const uint32_t *restrict start = p->index, *restrict column = p->index + d + 1;
    for (long i = 0; i < d; i++) {
        double total = p->data[i];
        for (uint32_t j = start[i]; j < start[i + 1]; j++) total += values[j] * z[column[j]];
        out[i] = total;
    }
}

INLINE void box(long d, double *z, const problem *p) {
    for (long i = 0; i < d; i++) {
        if (z[i] < p->box[i]) z[i] = p->box[i];
        else if (z[i] > p->box[d + i]) z[i] = p->box[d + i];
    }
}

INLINE void none(long d, double *z, const problem *p) {}

INLINE void axpy(long d, double *out, const double *x, double a, const double *y) {
    for (long i = 0; i < d; i++) out[i] = x[i] + a * y[i];
}

INLINE void extragradient(operator_t F, resolvent_t J, const problem *p, long d, long n,
                          const double *parameters, double *restrict z, double *restrict zbar,
                          double *restrict Fz) {
    double gamma = parameters[0];
    for (long k = 0; k < n; k++) {
        F(d, z, Fz, p);
        axpy(d, zbar, z, -gamma, Fz);
        J(d, zbar, p);
        F(d, zbar, Fz, p);
        axpy(d, z, z, -gamma, Fz);
        J(d, z, p);
    }
}

INLINE void rapp(operator_t F, resolvent_t J, const problem *p, long d, long n,
                 const double *parameters, double *restrict z, double *restrict w,
                 double *restrict Fw) {
    double gamma = parameters[0], lam = parameters[1];
    long tau = (long)parameters[2];
    for (long k = 0; k < n; k++) {
        for (long i = 0; i < d; i++) w[i] = z[i];
        for (long t = 0; t < tau; t++) {
            F(d, w, Fw, p);
            axpy(d, w, z, -gamma, Fw);
            J(d, w, p);
        }
        for (long i = 0; i < d; i++) z[i] = (1 - lam) * z[i] + lam * w[i];
    }
}

#define ARGUMENTS const problem *p, long d, long n, const double *a, double *z, double *s, double *t
#define BY_D(method, F, J) \
    void method##_##F##_##J(ARGUMENTS) { method(F, J, p, d, n, a, z, s, t); }
/* d = 2 known to the compiler, and the state in locals, so that it may stay in registers */
#define BY_2(method, F, J)                               \
    void method##_##F##_##J##_2(ARGUMENTS) {             \
        double u[2] = {z[0], z[1]}, v[2], w[2];          \
        method(F, J, p, 2, n, a, u, v, w);               \
        z[0] = u[0], z[1] = u[1];                        \
    }
#define BOTH(make, F, J) make(extragradient, F, J) make(rapp, F, J)

BOTH(BY_D, forsaken, box)
BOTH(BY_2, forsaken, box)
BOTH(BY_D, forsaken, none)
BOTH(BY_2, forsaken, none)
BOTH(BY_D, rows, none)
BOTH(BY_D, columns, none)
BOTH(BY_D, blas, none)
BOTH(BY_D, csr, none)

#define PRODUCT(F) \
    void product_##F(const problem *p, long d, const double *z, double *out) { F(d, z, out, p); }
PRODUCT(rows)
PRODUCT(columns)
PRODUCT(blas)
PRODUCT(csr)

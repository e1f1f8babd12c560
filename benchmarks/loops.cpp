// Plain C++ loops of six bandit rules: what banditlab's compiled loops are timed beside.
//
//   c++ -O3 -march=native -std=c++17 -o loops loops.cpp
//   loops RULE K ROUNDS REPLICATIONS SEED
//
// RULE: kl_ucb (every weight anew each round), kl_ucb_incremental (only the pulled arm's weight; sums and sampling stay
// O(K)), kl_thompson, ucb1, thompson_beta, kl_index_ucb. Bernoulli arms with K means evenly spread on [0.1, 0.9], uniform
// reference; eta = 5 for the three Gibbs rules, unregularized otherwise. Each round adds the exact gap of the policy
// played: J(pi*) - J(pi), or the arm's plain gap. Prints one JSON line: CPU nanoseconds a round and final regret of every
// replication.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <string>
#include <vector>

using Vector = std::vector<double>;

constexpr double ETA = 5.0;
constexpr double CEILING = 1.0;  // index of an unseen arm under a Gibbs policy, and clip of every upper bound
constexpr double INFINITE = std::numeric_limits<double>::infinity();

// xoshiro256++ seeded by splitmix64 (Blackman and Vigna 2021)
class Random {
    uint64_t s[4];
    double spare = 0.0;
    bool has_spare = false;

    static uint64_t rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

    uint64_t bits() {
        const uint64_t result = rotate(s[0] + s[3], 23) + s[0], shifted = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= shifted;
        s[3] = rotate(s[3], 45);
        return result;
    }

public:
    Random(uint64_t seed, uint64_t replication) {
        uint64_t x = seed * 0xd1342543de82ef95ULL + replication * 0x2545f4914f6cdd1dULL;
        for (uint64_t& word : s) {
            uint64_t z = (x += 0x9e3779b97f4a7c15ULL);
            z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
            z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
            word = z ^ (z >> 31);
        }
    }

    double uniform() { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }

    double normal() {  // Marsaglia's polar method
        if (has_spare) {
            has_spare = false;
            return spare;
        }
        double x, y, q;
        do {
            x = 2.0 * uniform() - 1.0;
            y = 2.0 * uniform() - 1.0;
            q = x * x + y * y;
        } while (q >= 1.0 || q == 0.0);
        const double f = std::sqrt(-2.0 * std::log(q) / q);
        spare = y * f;
        has_spare = true;
        return x * f;
    }

    double gamma(double shape) {  // Marsaglia and Tsang (2000), shape >= 1
        const double d = shape - 1.0 / 3.0, c = 1.0 / std::sqrt(9.0 * d);
        for (;;) {
            const double x = normal(), root = 1.0 + c * x;
            if (root <= 0.0) continue;
            const double v = root * root * root, u = 1.0 - uniform(), x2 = x * x;
            if (u < 1.0 - 0.0331 * x2 * x2 || std::log(u) < 0.5 * x2 + d * (1.0 - v + std::log(v))) return d * v;
        }
    }

    double beta(double a, double b) {
        const double x = gamma(a);
        return x / (x + gamma(b));
    }
};

// Evenly spread means, and the optimal value of the KL-regularized problem
struct Bandit {
    Vector mean;
    double reference, best, value;

    explicit Bandit(int K) : mean(K), reference(1.0 / K) {
        double Z = 0.0;
        for (int a = 0; a < K; a++) {
            mean[a] = 0.1 + 0.8 * a / (K - 1);
            Z += reference * std::exp(ETA * mean[a]);
        }
        best = *std::max_element(mean.begin(), mean.end());
        value = std::log(Z) / ETA;
    }
};

struct Counts {
    Vector pulls, total;

    explicit Counts(int K) : pulls(K, 0.0), total(K, 0.0) {}

    void add(int a, double r) {
        pulls[a] += 1.0;
        total[a] += r;
    }
};

// pi(a) = weight(a) / Z with weight = reference * exp(ETA * index): its exact gap, and an arm drawn from it
struct GibbsPolicy {
    const Bandit& bandit;
    Vector index, weight;

    explicit GibbsPolicy(const Bandit& bandit) : bandit(bandit), index(bandit.mean.size()), weight(bandit.mean.size()) {
        for (size_t a = 0; a < index.size(); a++) set(a, CEILING);
    }

    void set(int a, double value) {
        index[a] = value;
        weight[a] = bandit.reference * std::exp(ETA * value);
    }

    int draw(Random& random, double& gap) const {
        const int K = static_cast<int>(index.size());
        double Z = 0.0, excess = 0.0;
        for (int a = 0; a < K; a++) {
            Z += weight[a];
            excess += weight[a] * (index[a] - bandit.mean[a]);
        }
        gap = excess / Z - std::log(Z) / ETA + bandit.value;
        double left = random.uniform() * Z;
        int a = 0;
        while (a < K - 1 && (left -= weight[a]) >= 0.0) a++;
        return a;
    }
};

// The Gibbs policy of min(mean + sqrt(log T / (2 n)), 1)
template <bool INCREMENTAL>
struct KLUCB {
    Counts counts;
    GibbsPolicy policy;
    double level;

    KLUCB(const Bandit& bandit, long rounds)
        : counts(bandit.mean.size()), policy(bandit), level(std::log(static_cast<double>(rounds))) {}

    void renew(int a) {
        const double n = counts.pulls[a];
        policy.set(a, n > 0.0 ? std::min(counts.total[a] / n + std::sqrt(0.5 * level / n), CEILING) : CEILING);
    }

    int choose(long, Random& random, double& gap) {
        if (!INCREMENTAL)
            for (size_t a = 0; a < counts.pulls.size(); a++) renew(a);
        return policy.draw(random, gap);
    }

    void update(int a, double r) {
        counts.add(a, r);
        if (INCREMENTAL) renew(a);
    }
};

// The Gibbs policy of a draw from N(mean, 1 / (4 n))
struct KLThompson {
    Counts counts;
    GibbsPolicy policy;

    KLThompson(const Bandit& bandit, long) : counts(bandit.mean.size()), policy(bandit) {}

    int choose(long, Random& random, double& gap) {
        for (size_t a = 0; a < counts.pulls.size(); a++) {
            const double n = counts.pulls[a];
            policy.set(a, n > 0.0 ? counts.total[a] / n + 0.5 / std::sqrt(n) * random.normal() : CEILING);
        }
        return policy.draw(random, gap);
    }

    void update(int a, double r) { counts.add(a, r); }
};

// A rule that plays the arm of largest index, the lowest on ties
template <class Index>
struct Argmax {
    const Bandit& bandit;
    Counts counts;

    Argmax(const Bandit& bandit, long) : bandit(bandit), counts(bandit.mean.size()) {}

    int choose(long t, Random& random, double& gap) {
        const double log_t = std::log(static_cast<double>(t));
        int best = 0;
        double top = -INFINITE;
        for (size_t a = 0; a < counts.pulls.size(); a++) {
            const double value = Index::of(counts.total[a], counts.pulls[a], log_t, random);
            if (value > top) {
                top = value;
                best = static_cast<int>(a);
            }
        }
        gap = bandit.best - bandit.mean[best];
        return best;
    }

    void update(int a, double r) { counts.add(a, r); }
};

struct UCB1Index {
    static double of(double total, double n, double log_t, Random&) {
        return n > 0.0 ? total / n + std::sqrt(2.0 * log_t / n) : INFINITE;
    }
};

struct BetaDraw {
    static double of(double total, double n, double, Random& random) {
        return random.beta(1.0 + total, 1.0 + n - total);
    }
};

// max{q : n kl(mean, q) <= log t} by bisection to 1e-6
struct DivergenceIndex {
    static double of(double total, double n, double log_t, Random&) {
        if (n == 0.0) return INFINITE;
        const double p = total / n, level = log_t / n;
        const double own = (p > 0.0 ? p * std::log(p) : 0.0) + (p < 1.0 ? (1.0 - p) * std::log1p(-p) : 0.0);
        double low = p, high = std::min(p + std::sqrt(0.5 * level), 1.0);
        while (high - low > 1e-6) {
            const double q = 0.5 * (low + high);
            if (own - p * std::log(q) - (1.0 - p) * std::log1p(-q) > level)
                high = q;
            else
                low = q;
        }
        return 0.5 * (low + high);
    }
};

double cpu_seconds() {
    timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

template <class Rule>
void play(int K, long rounds, int replications, uint64_t seed) {
    const Bandit bandit(K);
    Vector time, final_regret;
    for (int i = 0; i < replications; i++) {
        const double start = cpu_seconds();
        Random random(seed, i);
        Rule rule(bandit, rounds);
        double regret = 0.0;
        for (long t = 1; t <= rounds; t++) {
            double gap;
            const int a = rule.choose(t, random, gap);
            regret += gap;
            rule.update(a, random.uniform() < bandit.mean[a] ? 1.0 : 0.0);
        }
        time.push_back((cpu_seconds() - start) / static_cast<double>(rounds) * 1e9);
        final_regret.push_back(regret);
    }
    const auto list = [](const char* name, const Vector& values) {
        std::printf("\"%s\": [", name);
        for (size_t i = 0; i < values.size(); i++) std::printf("%s%.17g", i ? ", " : "", values[i]);
        std::printf("]");
    };
    std::printf("{");
    list("ns", time);
    std::printf(", ");
    list("regret", final_regret);
    std::printf("}\n");
}

int main(int argc, char** argv) {
    const std::string rule = argc == 6 ? argv[1] : "";
    const int K = argc == 6 ? std::atoi(argv[2]) : 0, replications = argc == 6 ? std::atoi(argv[4]) : 0;
    const long rounds = argc == 6 ? std::atol(argv[3]) : 0;
    const uint64_t seed = argc == 6 ? std::strtoull(argv[5], nullptr, 10) : 0;
    if (K < 2 || rounds < 1 || replications < 1) {
        std::fprintf(stderr, "usage: loops RULE K ROUNDS REPLICATIONS SEED, with K >= 2\n");
        return 2;
    }
    if (rule == "kl_ucb")
        play<KLUCB<false>>(K, rounds, replications, seed);
    else if (rule == "kl_ucb_incremental")
        play<KLUCB<true>>(K, rounds, replications, seed);
    else if (rule == "kl_thompson")
        play<KLThompson>(K, rounds, replications, seed);
    else if (rule == "ucb1")
        play<Argmax<UCB1Index>>(K, rounds, replications, seed);
    else if (rule == "thompson_beta")
        play<Argmax<BetaDraw>>(K, rounds, replications, seed);
    else if (rule == "kl_index_ucb")
        play<Argmax<DivergenceIndex>>(K, rounds, replications, seed);
    else {
        std::fprintf(stderr, "unknown rule %s\n", rule.c_str());
        return 2;
    }
}

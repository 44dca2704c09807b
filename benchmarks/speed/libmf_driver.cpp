// Trains LIBMF's biasless matrix factorization and times its epochs one by one.
//
// Before each epoch it waits for a line on standard input, so that several systems can take
// turns; it tells of each on standard output, one JSON object a line.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

namespace driver {

using Clock = std::chrono::steady_clock;

static Clock::time_point started;
static int epochs_left;
static size_t n_ratings;
static bool in_epoch = false, has_begun = false;

static double lap() {
    auto now = Clock::now();
    double seconds = std::chrono::duration<double>(now - started).count();
    started = now;
    return seconds;
}

static void epoch_begins() {
    if (!has_begun)
        std::cout << "{\"layout_seconds\": " << lap() << ", \"n_ratings\": " << n_ratings << "}"
                  << std::endl;
    has_begun = true;
    if (epochs_left-- <= 0) return;
    std::string turn;
    std::getline(std::cin, turn);
    in_epoch = true;
    lap();
}

static void epoch_ends() {
    if (in_epoch) std::cout << "{\"seconds\": " << lap() << "}" << std::endl;
    in_epoch = false;
}

}  // namespace driver

#include "mf_timed.cpp"

template <typename T>
static std::vector<T> read_array(std::string const& path) {
    FILE* file = std::fopen(path.c_str(), "rb");
    if (file == nullptr) throw std::runtime_error("cannot read " + path);
    std::fseek(file, 0, SEEK_END);
    std::vector<T> values(std::ftell(file) / sizeof(T));
    std::rewind(file);
    size_t n_read = std::fread(values.data(), sizeof(T), values.size(), file);
    std::fclose(file);
    if (n_read != values.size()) throw std::runtime_error("cannot read " + path);
    return values;
}

static std::vector<mf::mf_node> read_ratings(std::string const& folder) {
    auto users = read_array<int>(folder + "/users");
    auto items = read_array<int>(folder + "/items");
    auto values = read_array<float>(folder + "/values");
    std::vector<mf::mf_node> nodes(users.size());
    for (size_t n = 0; n < nodes.size(); n++) nodes[n] = {users[n], items[n], values[n]};
    return nodes;
}

static mf::mf_problem as_problem(std::vector<mf::mf_node>& nodes, int n_users, int n_items) {
    return {n_users, n_items, (mf::mf_long)nodes.size(), nodes.data()};
}

// Arguments: train, validation or "-", n_users, n_items, n_factors, n_epochs, n_threads,
// lambda, eta.
int main(int, char** given) {
    int n_users = std::atoi(given[3]), n_items = std::atoi(given[4]);
    bool scores = std::string(given[2]) != "-";
    auto train_nodes = read_ratings(given[1]);
    std::vector<mf::mf_node> validation_nodes;
    if (scores) validation_nodes = read_ratings(given[2]);
    auto train = as_problem(train_nodes, n_users, n_items);
    auto validation = as_problem(validation_nodes, n_users, n_items);

    auto parameters = mf::mf_get_default_param();
    parameters.k = std::atoi(given[5]);
    parameters.nr_iters = driver::epochs_left = std::atoi(given[6]);
    parameters.nr_threads = std::atoi(given[7]);
    parameters.lambda_p2 = parameters.lambda_q2 = std::atof(given[8]);
    parameters.eta = std::atof(given[9]);
    parameters.quiet = !scores;  // else it prints the RMSE on the validation part

    driver::n_ratings = train_nodes.size();
    driver::lap();
    auto model = scores ? mf::mf_train_with_validation(&train, &validation, parameters)
                        : mf::mf_train(&train, parameters);
    double closing = driver::lap();
    mf::mf_destroy_model(&model);

    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    std::cout << "{\"closing_seconds\": " << closing
              << ", \"peak_mib\": " << usage.ru_maxrss / 1024.0 << "}" << std::endl;
}

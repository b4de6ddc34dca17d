// The PVs of the bench, served by pvxs alone: what its puts and posts cost without Python. Twin of pvkit-server.ts.
//
// Environment: EPICS_PVAS_*. Prints one JSON line when it serves; ends with its stdin.

#include <atomic>
#include <chrono>
#include <iostream>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <pvxs/nt.h>
#include <pvxs/server.h>
#include <pvxs/sharedpv.h>

using namespace pvxs;
using Clock = std::chrono::steady_clock;

namespace {

constexpr size_t kArrayLength = 1'000'000;
constexpr int kPutPvs = 100;
constexpr int kRatePvs = 100;
constexpr int kStaticPvs = 10'000;

std::atomic<bool> ending{false};

// As a PV of a real system has it: every field of the three that an NTScalar must have is set.
Value filled(Value top)
{
    top["alarm.severity"] = 0;
    top["alarm.status"] = 0;
    top["alarm.message"] = "";
    top["timeStamp.secondsPastEpoch"] = 1'767'225'600;
    top["timeStamp.nanoseconds"] = 123'456'789;
    top["timeStamp.userTag"] = 0;
    return top;
}

// The value alone, as `SharedPV(nt=NTScalar("d"), initial=0)` of p4p has it: what costs pvxs least.
Value scalar(double value)
{
    Value top = nt::NTScalar{TypeCode::Float64}.create();
    top["value"] = value;
    return top;
}

// Posts a count to each of its PVs that somebody looks at, once a period. Ticks that come late are not made up.
class Rhythm {
public:
    Rhythm(server::StaticSource& source, const std::vector<std::string>& names, std::chrono::microseconds period)
        :period_(period)
    {
        for (const auto& name : names) {
            auto pv = server::SharedPV::buildReadonly();
            pvs_.push_back(pv);
            const size_t index = pvs_.size() - 1;
            pv.onFirstConnect([this, index](server::SharedPV&) { std::lock_guard<std::mutex> hold(lock_); watched_.insert(index); });
            pv.onLastDisconnect([this, index](server::SharedPV&) { std::lock_guard<std::mutex> hold(lock_); watched_.erase(index); });
            const Value initial = scalar(0.0);
            empty_.push_back(initial.cloneEmpty());
            pv.open(initial);
            source.add(name, pv);
        }
        thread_ = std::thread([this] { run(); });
    }
    ~Rhythm() { thread_.join(); }

private:
    void run()
    {
        double count = 0;
        while (!ending) {
            const auto start = Clock::now();
            std::set<size_t> watched;
            {
                std::lock_guard<std::mutex> hold(lock_);
                watched = watched_;
            }
            if (!watched.empty()) count += 1;
            for (size_t index : watched) {
                Value update = empty_[index].cloneEmpty();
                update["value"] = count;
                pvs_[index].post(update);
            }
            std::this_thread::sleep_until(start + (watched.empty() ? std::chrono::milliseconds(10) : period_));
        }
    }

    const std::chrono::microseconds period_;
    std::vector<server::SharedPV> pvs_;
    std::vector<Value> empty_;
    std::mutex lock_;
    std::set<size_t> watched_;
    std::thread thread_;
};

std::vector<std::string> numbered(const std::string& prefix, int count)
{
    std::vector<std::string> names;
    for (int index = 0; index < count; index++) names.push_back(prefix + std::to_string(index));
    return names;
}

} // namespace

int main()
{
    auto source = server::StaticSource::build();
    auto mailbox = [&source](const std::string& name, Value initial) {
        auto pv = server::SharedPV::buildMailbox();
        pv.open(initial);
        source.add(name, pv);
    };
    mailbox("bench:get", scalar(1.5));
    mailbox("bench:full", filled(scalar(1.5)));
    mailbox("bench:idle", scalar(1.5));
    for (const auto& name : numbered("bench:put", kPutPvs)) mailbox(name, scalar(0));
    for (const auto& name : numbered("bench:pv", kStaticPvs)) mailbox(name, scalar(0));
    Value array = nt::NTScalar{TypeCode::Float64A}.create();
    shared_array<double> numbers(kArrayLength);
    for (size_t index = 0; index < kArrayLength; index++) numbers[index] = index / 2.0;
    array["value"] = numbers.freeze().castTo<const void>();
    mailbox("bench:array", array);
    Rhythm counter(source, {"bench:counter"}, std::chrono::milliseconds(1));
    Rhythm rates(source, numbered("bench:rate", kRatePvs), std::chrono::milliseconds(10));

    auto server = server::Config::fromEnv().build().addSource("bench", source.source());
    server.start();
    const auto& config = server.config();
    std::cout << "{\"tcpPort\":" << config.tcp_port << ",\"udpPort\":" << config.udp_port << "}" << std::endl;
    for (std::string line; std::getline(std::cin, line);) {}
    server.stop();
    ending = true;
}

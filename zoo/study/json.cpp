// The data of a page as text.
#include <bit>
#include <cmath>

#include "autograd/io/json.h"
#include "autograd/io/utf8.h"
#include "zoo/study/recording.h"
#include "zoo/study/sampling.h"

namespace tarsier::study {
namespace {

/// JSON has no NaN and no infinities: null stands for them.
Json number(double x) { return std::isfinite(x) ? Json(x) : Json(); }

/// Text of data may be cut inside a character.
Json text(std::string_view x) { return repaired_utf8(x); }

template <class T, class F>
Json list(const std::vector<T>& items, F&& write) {
  Json::Array out;
  out.reserve(items.size());
  for (const T& item : items) out.push_back(write(item));
  return out;
}
Json list(const std::vector<int>& x) {
  return list(x, [](int v) { return Json(v); });
}
Json list(const std::vector<int64_t>& x) {
  return list(x, [](int64_t v) { return Json(v); });
}
Json list(const std::vector<double>& x) {
  return list(x, [](double v) { return number(v); });
}
Json list(const std::vector<std::string>& x) {
  return list(x, [](const std::string& v) { return text(v); });
}

// --------------------------------------------------------------------------------- tensors

void append(std::vector<float>& numbers, const Tensor& x, int64_t begin, int64_t end) {
  dispatch_all(x.dtype(), [&]<class T>() {
    const T* from = x.data<T>();
    for (int64_t i = begin; i < end; ++i) numbers.push_back(static_cast<float>(from[i]));
  });
}

Json statistics_json(const Tensor& x) {
  const Statistics s = statistics(x);
  const bool any = s.nan + s.infinite < x.numel();
  const auto known = [&](double v) { return any ? number(v) : Json(); };
  return Json::Object{{"min", known(s.min)},       {"max", known(s.max)},  {"mean", known(s.mean)},
                      {"std", known(s.deviation)}, {"zeros", s.zeros},     {"nan", s.nan},
                      {"inf", s.infinite},         {"norm", known(s.norm)}};
}

/// `rows` are those that travel; none: all.
Json tensor_json(const Tensor& x, const std::vector<int64_t>& rows, std::vector<float>& numbers) {
  const auto at = static_cast<int64_t>(numbers.size());
  if (rows.empty()) append(numbers, x, 0, x.numel());
  const int64_t length = x.dim() == 0 ? 1 : x.shape().back();
  for (const int64_t row : rows) append(numbers, x, row * length, (row + 1) * length);
  Json::Array shape;
  for (const int64_t size : x.shape()) shape.emplace_back(size);
  Json json = Json::Object{{"shape", std::move(shape)},
                           {"dtype", concat(x.dtype())},
                           {"at", at},
                           {"count", static_cast<int64_t>(numbers.size()) - at}};
  if (!rows.empty()) json.set("rows", list(rows));
  json.set("stats", statistics_json(x));
  return json;
}

// ----------------------------------------------------------------------------------- nodes

const char* kind_name(RecordedNode::Kind kind) {
  switch (kind) {
    case RecordedNode::Kind::parameter:
      return "parameter";
    case RecordedNode::Kind::input:
      return "input";
    case RecordedNode::Kind::constant:
      return "constant";
    default:
      return "op";
  }
}

/// Microseconds with a digit after the point: more is noise, and costs bytes.
Json microseconds(double x) { return number(std::round(x * 10) / 10); }

Json node_json(const RecordedNode& node) {
  const bool op = node.kind == RecordedNode::Kind::op;
  Json json = Json::Object{{"kind", kind_name(node.kind)}};
  json.set(op ? "op" : "name", text(op ? node.op : node.name));
  json.set("path", text(node.path));
  json.set("file", text(node.file));
  json.set("line", node.line);
  json.set("source", node.source < 0 ? Json() : Json(node.source));
  json.set("inputs", list(node.inputs));
  json.set("saved", list(node.saved));
  json.set("value", node.value);
  json.set("grad", node.grad);
  json.set("edges", list(node.edges));
  if (node.view)
    json.set("view", Json::Object{{"offset", node.view->offset},
                                  {"strides", list(node.view->strides)},
                                  {"base", list(node.view->base)}});
  json.set("group", node.group);
  json.set("forward_us", microseconds(node.forward_us));
  json.set("backward_us", microseconds(node.backward_us));
  json.set("saved_bytes", node.saved_bytes);
  json.set("backward_order", node.backward_order);
  json.set("output", node.output);
  if (node.bad) json.set("bad", true);
  return json;
}

Json excerpt_json(const Excerpt& excerpt) {
  return Json::Object{{"file", text(excerpt.file)},
                      {"first", excerpt.first},
                      {"lines", list(excerpt.lines)},
                      {"mark", excerpt.mark}};
}

// -------------------------------------------------------------------------- the other parts

Json step_json(const Step& step) {
  return Json::Object{{"number", step.number},
                      {"loss", number(step.loss)},
                      {"learning_rate", number(step.learning_rate)},
                      {"forward_us", microseconds(step.forward_us)},
                      {"backward_us", microseconds(step.backward_us)},
                      {"seed", static_cast<int64_t>(step.seed)},
                      {"items", text(step.items)}};
}

Json proof_json(const ProofLine& line) {
  Json json = Json::Object{{"node", line.node},
                           {"element", line.element},
                           {"analytic", number(line.analytic)},
                           {"numeric", number(line.numeric)},
                           {"error", number(line.error)}};
  if (line.kink) json.set("kink", true);
  return json;
}

Json parameter_json(const ParameterLine& line) {
  return Json::Object{{"node", line.node},
                      {"grad_norm", number(line.grad_norm)},
                      {"norm", number(line.norm)},
                      {"error", line.error ? number(*line.error) : Json()},
                      {"zero_share", line.zero_share},
                      {"flag", line.flag}};
}

Json attention_json(const AttentionLine& line) {
  return Json::Object{{"path", text(line.path)}, {"kind", line.kind},
                      {"node", line.node},       {"weights", line.weights},
                      {"grad", line.grad},       {"queries", text(line.queries)},
                      {"keys", text(line.keys)}};
}

Json picture_json(const Picture& picture) {
  return Json::Object{{"width", picture.width},       {"height", picture.height},
                      {"channels", picture.channels}, {"tensor", picture.tensor},
                      {"rows", picture.rows},         {"columns", picture.columns}};
}

Json update_weight_json(const Update::Weight& weight) {
  Json json =
      Json::Object{{"node", weight.node},     {"before", weight.before},
                   {"after", weight.after},   {"gradient", weight.gradient},
                   {"lr", number(weight.lr)}, {"weight_decay", number(weight.weight_decay)}};
  if (!weight.formula.empty()) json.set("formula", weight.formula);
  json.set("state", list(weight.state, [](const Update::State& s) {
             return Json(Json::Object{{"name", s.name}, {"before", s.before}, {"after", s.after}});
           }));
  return json;
}

Json update_json(const Update& update) {
  Json json = Json::Object{{"optimizer", update.optimizer}, {"formula", update.formula}};
  json.set("settings", list(update.settings, [](const auto& setting) {
             return Json(Json::Array{setting.first, number(setting.second)});
           }));
  Json formulas = Json::Object{};
  for (const Update::Formula& formula : update.formulas)
    formulas.set(formula.name, list(formula.lines, [](const auto& line) {
                   return Json(Json::Array{line.first, line.second});
                 }));
  json.set("formulas", std::move(formulas));
  json.set("weights", list(update.weights, update_weight_json));
  json.set("clip", update.clip ? Json(Json::Object{{"norm", number(update.clip->norm)},
                                                   {"max", number(update.clip->max)}})
                               : Json());
  return json;
}

Json learning_json(const Learning& learning) {
  Json json = Json::Object{};
  json.set("charts", list(learning.charts, [](const Learning::Chart& chart) {
             return Json(Json::Object{{"title", text(chart.title)},
                                      {"series", list(chart.series,
                                                      [](const Learning::Series& series) {
                                                        return Json(Json::Object{
                                                            {"name", text(series.name)},
                                                            {"x", list(series.x)},
                                                            {"y", list(series.y)}});
                                                      })},
                                      {"log", chart.log}});
           }));
  json.set("histograms", list(learning.histograms, [](const Learning::Histogram& h) {
             return Json(Json::Object{{"name", text(h.name)},
                                      {"low", number(h.low)},
                                      {"high", number(h.high)},
                                      {"then", list(h.then)},
                                      {"now", list(h.now)}});
           }));
  json.set("samples", list(learning.samples, [](const Learning::Sample& s) {
             return Json(Json::Object{{"step", s.step}, {"text", text(s.text)}});
           }));
  return json;
}

Json recording_json(const Recording& r, const Rows& rows, std::vector<float>& numbers) {
  check(!r.nodes.empty(), "study", "the recording has no nodes: record an expression first");
  Json json = Json::Object{{"format", 1},
                           {"title", text(r.title)},
                           {"command", text(r.command)},
                           {"version", TARSIER_VERSION}};
  json.set("facts", list(r.facts, [](const auto& fact) {
             return Json(Json::Array{text(fact.first), text(fact.second)});
           }));
  json.set("step", step_json(r.step));
  Json::Array tensors;
  for (size_t i = 0; i < r.tensors.size(); ++i)
    tensors.push_back(tensor_json(r.tensors[i].values, rows[i], numbers));
  json.set("tensors", std::move(tensors));
  json.set("nodes", list(r.nodes, node_json));
  json.set("loss", r.loss);
  if (!r.input_differs.empty()) json.set("input_differs", text(r.input_differs));
  json.set("proof", list(r.proof, proof_json));
  if (!r.proof_missing.empty()) json.set("proof_missing", text(r.proof_missing));
  json.set("parameters", list(r.parameters, parameter_json));
  json.set("attention", list(r.attention, attention_json));
  Json labels = Json::Object{}, pictures = Json::Object{}, calls = Json::Object{};
  for (const auto& [name, tokens] : r.labels) labels.set(name, list(tokens));
  for (const auto& [name, picture] : r.pictures) pictures.set(name, picture_json(picture));
  for (const Excerpt& file : r.calls) calls.set(text(file.file).as_string(), excerpt_json(file));
  json.set("labels", std::move(labels));
  json.set("pictures", std::move(pictures));
  json.set("update", r.update ? update_json(*r.update) : Json());
  json.set("learning", r.learning ? learning_json(*r.learning) : Json());
  json.set("sources", list(r.sources, excerpt_json));
  json.set("calls", std::move(calls));
  return json;
}

}  // namespace

std::string base64(const void* data, size_t bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto* from = static_cast<const unsigned char*>(data);
  std::string out;
  out.reserve((bytes + 2) / 3 * 4);
  for (size_t i = 0; i < bytes; i += 3) {
    const size_t left = std::min<size_t>(3, bytes - i);
    const uint32_t three = uint32_t{from[i]} << 16 | (left > 1 ? uint32_t{from[i + 1]} << 8 : 0) |
                           (left > 2 ? uint32_t{from[i + 2]} : 0);
    out += kDigits[three >> 18];
    out += kDigits[three >> 12 & 63];
    out += left > 1 ? kDigits[three >> 6 & 63] : '=';
    out += left > 2 ? kDigits[three & 63] : '=';
  }
  return out;
}

PageData page_data(const Recording& recording, const Recording* against) {
  static_assert(std::endian::native == std::endian::little, "the page reads little-endian f32");
  std::vector<const Recording*> recordings{&recording};
  if (against != nullptr) recordings.push_back(against);
  const std::vector<Rows> rows = rows_that_travel(recordings);
  std::vector<float> numbers;
  Json json = recording_json(recording, rows[0], numbers);
  json.set("against", against ? recording_json(*against, rows[1], numbers) : Json());
  PageData data;
  // Text of data must not end the element that holds it: in JSON, < can be written otherwise.
  for (const char c : json.dump())
    if (c == '<')
      data.json += "\\u003c";
    else
      data.json += c;
  data.numbers = base64(numbers.data(), numbers.size() * sizeof(float));
  return data;
}

}  // namespace tarsier::study

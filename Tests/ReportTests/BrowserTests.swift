import Foundation
import Report
import TestSupport
import Testing

/// Reports as a browser shows them.
@Suite(.serialized, .enabled(if: Chromium.program != nil, Comment(rawValue: Chromium.absence)))
struct BrowserTests {
    /// A script that tells an object's values in the page, `result:{…}`, and what went wrong.
    private static func telling(_ object: String) -> String {
        """
        const told = document.createElement("pre");
        try { told.textContent = "result:" + JSON.stringify(\(object)); } catch (error) { told.textContent = "result:{\\"error\\":\\"" + error + "\\"}"; }
        document.body.append(told);
        if (parent !== window) parent.postMessage(told.textContent, "*");
        """
    }

    private func values(_ browser: Chromium, _ page: String, after before: String = "", _ object: String) throws -> [String: Any] {
        let text = try browser.page(page, running: before + Self.telling(object))
        let told = try #require(text.firstMatch(of: /<pre>result:(\{.*?\})<\/pre>/)?.1, "\(text.prefix(2000))")
        let json = told.replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&amp;", with: "&")
        return try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
    }

    private func report(_ runs: [TinyRun], in folder: String) throws -> String {
        let page = folder + "/report.html"
        try Report(runs.map { try RunRecord($0.path) }).write(to: page)
        return page
    }

    @Test(.timeLimit(.minutes(30))) func chartsReadZoomAndTurnLogarithmic() throws {
        try withTemporaryFolder { folder in
            let runs = try ["a", "b"].map { try TinyRun("\(folder)/\($0)") }
            let page = try report(runs, in: folder)
            let result = try values(
                Chromium(folder: folder), page,
                after: """
                    const loss = charts.find(chart => chart.figure.dataset.chart === "log/train_loss");
                    const rate = charts.find(chart => chart.figure.dataset.chart === "log/train_lr");
                    loss.plot.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
                    loss.plot.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
                    const read = loss.output.textContent, other = rate.output.textContent;
                    loss.plot.dispatchEvent(new KeyboardEvent("keydown", { key: "+" }));
                    const zoomed = rate.graph.xAxisRange();
                    loss.figure.querySelector(".whole").click();
                    const whole = rate.graph.xAxisRange();
                    loss.log.click();
                    document.querySelector(".legend input").click();
                    """,
                """
                { read, other, zoomed: zoomed[1] - zoomed[0], whole: whole[1] - whole[0], pressed: loss.log.getAttribute("aria-pressed"),
                  isLog: loss.graph.getOption("logscale"), visible: loss.graph.visibility(), charts: charts.length }
                """)
            #expect(result["error"] == nil, "\(result)")
            #expect(result["read"] as? String == "step 2 a 0.5 b 0.5")
            #expect(result["other"] as? String == "step 2 a 0.001 b 0.001")
            let (zoomed, whole) = (result["zoomed"] as? Double ?? 0, result["whole"] as? Double ?? 0)
            #expect(whole >= 39 && zoomed < 0.6 * whole, "\(result)")
            #expect(result["pressed"] as? String == "true" && result["isLog"] as? Bool == true)
            #expect(result["visible"] as? [Bool] == [false, true])
            #expect(result["charts"] as? Int == 4)
        }
    }

    /// Charts are as wide as their columns on paper; on the screen they are again as wide as before.
    @Test(.timeLimit(.minutes(30))) func chartsFitOnPaper() throws {
        try withTemporaryFolder { folder in
            let result = try values(
                Chromium(folder: folder), try report([TinyRun(folder + "/a")], in: folder),
                after: """
                    const width = () => Math.max(...charts.map(chart => chart.plot.querySelector("canvas").getBoundingClientRect().width));
                    const before = width();
                    dispatchEvent(new Event("beforeprint"));
                    const printed = width();
                    dispatchEvent(new Event("afterprint"));
                    """, "{ before, printed, after: width() }")
            #expect(result["error"] == nil && abs((result["printed"] as? Double ?? 0) - 340) < 1, "\(result)")
            #expect(result["before"] as? Double ?? 0 > 340 && result["after"] as? Double == result["before"] as? Double, "\(result)")
        }
    }

    @Test(.timeLimit(.minutes(30))) func theMouseReadsAndZooms() throws {
        try withTemporaryFolder { folder in
            let result = try values(
                Chromium(folder: folder), try report([TinyRun(folder + "/a")], in: folder),
                after: """
                    const [loss, rate] = ["log/train_loss", "log/train_lr"].map(name => charts.find(chart => chart.figure.dataset.chart === name));
                    const area = loss.graph.getArea(), canvas = [...loss.plot.querySelectorAll("canvas")].at(-1);
                    const box = canvas.getBoundingClientRect();
                    function fire(target, kind, x, y) {
                      const place = { clientX: box.left + area.x + x * area.w, clientY: box.top + area.y + y * area.h };
                      target.dispatchEvent(new MouseEvent(kind, { bubbles: true, cancelable: true, view: window, button: 0, ...place }));
                    }
                    function drag(x1, y1, x2, y2) {
                      fire(canvas, "mousedown", x1, y1);
                      for (const share of [0.3, 0.6, 1]) fire(document, "mousemove", x1 + (x2 - x1) * share, y1 + (y2 - y1) * share);
                      fire(document, "mouseup", x2, y2);
                    }
                    const span = ([low, high]) => high - low;
                    fire(canvas, "mousemove", 0.5, 0.5);
                    const read = loss.output.textContent;
                    const before = [span(loss.graph.yAxisRange()), span(rate.graph.xAxisRange())];
                    drag(0.5, 0.2, 0.5, 0.7);
                    const values = [span(loss.graph.yAxisRange()), span(rate.graph.xAxisRange())];
                    drag(0.2, 0.5, 0.6, 0.5);
                    const steps = [span(loss.graph.yAxisRange()), span(rate.graph.xAxisRange())];
                    for (const kind of ["mousedown", "mouseup", "mousedown", "mouseup", "dblclick"]) fire(canvas, kind, 0.5, 0.5);
                    const after = [span(loss.graph.yAxisRange()), span(rate.graph.xAxisRange())];
                    """, "{ read, before, values, steps, after }")
            func pair(_ key: String) -> (values: Double, steps: Double) {
                let numbers = result[key] as? [Double] ?? [.nan, .nan]
                return (numbers[0], numbers[1])
            }
            let (before, after) = (pair("before"), pair("after"))
            #expect((result["read"] as? String)?.hasPrefix("step 2") == true, "\(result)")
            #expect(pair("values").values < 0.7 * before.values && pair("values").steps == before.steps, "\(result)")
            #expect(pair("steps").values < 0.7 * before.values && pair("steps").steps < 0.5 * before.steps, "\(result)")
            #expect(abs(after.values - before.values) < 1e-9 && abs(after.steps - before.steps) < 1e-9, "\(result)")
        }
    }

    @Test(.timeLimit(.minutes(30))) func slidersAndChoosersShowWhatTheyName() throws {
        try withTemporaryFolder { folder in
            let run = try TinyRun(folder + "/a")
            for step in [0, 20, 40] { try run.write("figures/davis-\(step).png", TinyRun.png) }
            let lines = [20, 40].flatMap { step in
                [0, 1].flatMap { layer in
                    ["", ", \"head\": 2"].map { head in
                        "{\"step\": \(step), \"source\": \"encoder\", \"layer\": \(layer)\(head), \"region\": \"all\", \"hit\": \(head.isEmpty ? 0.25 : 0.75), \"near\": 0.5}\n"
                    }
                }
            }
            try run.write("analysis.jsonl", lines.joined())
            let result = try values(
                Chromium(folder: folder), try report([run], in: folder),
                after: """
                    const slider = document.querySelector(".figures input");
                    slider.value = 1; slider.dispatchEvent(new Event("input"));
                    const steps = [...document.querySelectorAll(".figures figure:not([hidden])")].map(figure => figure.dataset.step);
                    const hit = charts.find(chart => chart.figure.dataset.chart.startsWith("match/hit"));
                    const before = hit.series[0].y;
                    const head = document.querySelectorAll(".choosers select")[2];
                    head.value = "2"; head.dispatchEvent(new Event("change", { bubbles: true }));
                    """, "{ steps, before, after: hit.series[0].y, shown: hit.figure.dataset.chart }")
            #expect(result["steps"] as? [String] == ["20"])
            #expect(result["before"] as? [Double] == [0.25, 0.25] && result["after"] as? [Double] == [0.75, 0.75])
            #expect(result["shown"] as? String == "match/hit/encoder/1/whole layer/all/all")
        }
    }

    /// No page is wider than a phone, captions of wider tables neither, and its ground follows the reader's choice.
    @Test(.timeLimit(.minutes(30)), arguments: [(1280, false), (1280, true), (375, false)])
    func widthAndColours(width: Int, isDark: Bool) throws {
        try withTemporaryFolder { folder in
            let run = try TinyRun(folder + "/" + String(repeating: "long-name-", count: 12))
            try run.write("figures/davis-1.png", TinyRun.png)
            let browser = Chromium(folder: folder, width: width, isDark: isDark)
            let page = try report([run], in: folder)
            let result = try values(
                browser, page,
                """
                { width: innerWidth, page: document.documentElement.scrollWidth, ground: getComputedStyle(document.body).backgroundColor,
                  captions: Math.max(...Array.from(document.querySelectorAll('caption span'), caption => caption.getBoundingClientRect().right)) }
                """)
            for part in ["page", "captions"] {
                #expect(result[part] as? Double ?? .infinity <= result["width"] as? Double ?? 0, "\(part): \(result)")
            }
            let ground = try #require((result["ground"] as? String)?.firstMatch(of: /rgb\((\d+)/)?.1)
            #expect(isDark ? Int(ground)! < 64 : Int(ground)! > 192)
            try browser.screenshot(page, to: folder + "/page.png", height: 1000)
            #expect(FileManager.default.contents(atPath: folder + "/page.png")?.count ?? 0 > 5000)
        }
    }

    @Test(.timeLimit(.minutes(30))) func aLongLogOpensWithinASecond() throws {
        try withTemporaryFolder { folder in
            let run = try TinyRun(folder + "/a")
            let lines = (1...100_000).map { step in
                "{\"epoch\": 1.0, \"step\": \(step), \"train_loss\": \(1 / Double(step % 977 + 1)), \"train_lr\": \(Double(step) * 1e-9), "
                    + "\"gradient_norm\": \(Double(step % 31)), \"samples_per_second\": 200.5, \"data_wait\": 0.01, \"decoders\": 2}\n"
            }
            try run.write("log.txt", lines.joined())
            let page = try report([run], in: folder)
            // Other work on the machine may take its time from one try.
            let times = try (0..<3).map { _ in
                try values(Chromium(folder: folder), page, "{ ready: Number(document.documentElement.dataset.ready) }")["ready"] as? Double
                    ?? .infinity
            }
            print("a report of 100,000 lines is there after \(times) ms")
            #expect(times.min()! < 1000)
        }
    }
}

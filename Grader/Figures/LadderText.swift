// SPDX-License-Identifier: MIT

import Foundation
import Harness
import Reports

extension Ladder {
    /// The figure for a terminal: the app on the left, the kernel on the right, time downwards.
    package var text: String {
        let heads = "      ms  " + pad("App", 38) + "Kernel"
        let lines = moments.flatMap { $0.isReturn ? returning($0) : calling($0) }
        return ([title, "", heads] + lines).joined(separator: "\n") + "\n"
    }

    private func calling(_ moment: Moment) -> [String] {
        let row = moment.row
        let kernel = row.waiting ?? row.copying ?? ""
        var lines = [time(moment.time) + pad(who(row) + row.call, 29) + "───────▶ \(kernel)"]
        if row.waiting != nil { lines.append(kernelLine(row.answer == nil ? "│ and still" : "│")) }
        return lines
    }

    private func returning(_ moment: Moment) -> [String] {
        let row = moment.row
        var lines: [String] = []
        if row.waiting != nil {
            let waited = String(format: "│ waiting, %.1f ms", row.duration ?? 0)
            lines = ([waited] + [row.ready, row.copying].compactMap { $0 }).map(kernelLine)
        }
        lines.append(time(moment.time) + pad(who(row) + (row.answer ?? ""), 29) + "◀───────")
        if row.more > 0 {
            lines.append(pad("", 10) + "… " + row.repetition)
        }
        return lines
    }

    /// Of several threads, whose row it is.
    func who(_ row: Row) -> String {
        columns.count == 1 ? "" : "\(columns[row.column]): "
    }

    private func time(_ milliseconds: Double) -> String {
        let text = String(format: "%.1f", milliseconds)
        return String(repeating: " ", count: max(0, 8 - text.count)) + text + "  "
    }

    private func kernelLine(_ text: String) -> String {
        String(repeating: " ", count: 48) + text
    }
}

extension Ladder {
    /// The figure as a Mermaid sequence diagram, as the chapters have it.
    package var mermaid: String {
        var lines = ["sequenceDiagram"]
        for (index, column) in columns.enumerated() {
            lines.append("    participant A\(index) as \(column)")
        }
        lines.append("    participant K as Kernel")
        for moment in moments {
            let app = "A\(moment.row.column)"
            let more = moment.isReturn ? returning(moment.row, app) : calling(moment.row, app)
            lines += more.map { "    " + $0 }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func calling(_ row: Row, _ app: String) -> [String] {
        ["\(app)->>K: \(row.call)"]
            + (row.waiting.map { phase("255, 165, 0", ["over \(app),K: waiting: \($0)"]) } ?? [])
    }

    private func returning(_ row: Row, _ app: String) -> [String] {
        var lines: [String] = []
        if let ready = row.ready { lines.append("Note over K: \(ready)") }
        if let copying = row.copying {
            lines += phase("70, 130, 255", ["over \(app),K: \(copying)"])
        }
        if let answer = row.answer { lines.append("K-->>\(app): \(answer)") }
        if row.more > 0 { lines.append("Note over \(app),K: … \(row.repetition)") }
        return lines
    }

    /// Notes on the colour of their phase, as in the chapters.
    private func phase(_ colour: String, _ notes: [String]) -> [String] {
        ["rect rgba(\(colour), 0.2)"] + notes.map { "Note \($0)" } + ["end"]
    }
}

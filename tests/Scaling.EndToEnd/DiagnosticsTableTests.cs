// The table of diagnostics against the code.
using System.Text.RegularExpressions;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

public sealed partial class DiagnosticsTableTests
{
    [Fact]
    public void The_table_lists_every_code_once_and_no_other()
    {
        string[] table = [.. Row().Matches(File.ReadAllText(Path.Combine(Repository.Root, "tool", "Scaling.Cli", "DIAGNOSTICS.md"))).Select(m => m.Groups[1].Value)];
        var code = new[] { "tool", "tasks" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*", SearchOption.AllDirectories))
            .Where(f => Path.GetExtension(f) is ".cs" or ".targets" or ".csproj")
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal))
            .Append(Path.Combine(Repository.Root, "Directory.Build.targets"))
            .SelectMany(f => Code().Matches(File.ReadAllText(f)).Select(m => m.Groups[1].Value))
            .Distinct().Order(StringComparer.Ordinal);

        Assert.Equal(code, table);
    }

    [GeneratedRegex(@"^\| (SCAL\d{4}) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"""(SCAL\d{4})""")]
    private static partial Regex Code();
}

// C# from JSON: what the record looks like, and whatever names and values a file has.
using Scaling.Cli;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.Build.Tests;

public sealed class CSharpRecordTests
{
    private const string Accurate =
        """
        { "architectures": ["LlamaForCausalLM"], "hidden_size": 76, "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "eos_token_id": null, "tie_word_embeddings": true,
          "rope_parameters": { "rope_type": "default", "factor": 8 } }
        """;

    private const string Efficient =
        """
        { "architectures": ["LlamaForCausalLM"], "hidden_size": 84, "rms_norm_eps": 1e-05, "rope_theta": 500000, "eos_token_id": 2, "tie_word_embeddings": false,
          "rope_parameters": { "rope_type": "llama3" }, "head_dim": 8 }
        """;

    [Fact]
    public Task A_record_has_a_property_a_name_and_an_instance_a_file() =>
        Snapshot.Match(CSharpRecord.Of("My.Models.Architecture", "pipeline 'study', stage 'config'", [("config/accurate/config.json", Accurate), ("config/efficient/config.json", Efficient)]));

    [Fact]
    public Task Whatever_names_and_values_a_file_has_it_is_CSharp() => Snapshot.Match(Nasty());

    [Fact]
    public void The_same_files_give_the_same_bytes() => Assert.Equal(Nasty(), Nasty());

    [Theory]
    [InlineData(new[] { "config/config.json" }, "Config")]
    [InlineData(new[] { "best.json" }, "Best")]
    [InlineData(new[] { "config/accurate/config.json" }, "Accurate")]
    [InlineData(new[] { "config/80m/config.json", "config/1b/config.json" }, "_80m _1b")]
    [InlineData(new[] { "a/one-b/c.json", "a/one_b/c.json" }, "OneB OneBValue")]
    [InlineData(new[] { "x/config.json", "y/z/config.json" }, "X YZ")]
    public void An_instance_is_named_by_what_tells_its_file_from_the_others(string[] paths, string expected)
    {
        string text = CSharpRecord.Of("T", "somewhere", [.. paths.Select(p => (p, "{\"a\": 1}"))]);

        var names = text.Split('\n').Where(l => l.Contains("public static", StringComparison.Ordinal)).Select(l => l.Trim().Split(' ')[3]);
        Assert.Equal(expected, string.Join(' ', names));
    }

    [Fact]
    public void A_text_that_holds_no_object_is_refused()
    {
        Assert.Contains("SCAL9121", Refused(() => CSharpRecord.Of("T", "somewhere", [("a.json", "[1]")])), StringComparison.Ordinal);
        Assert.Contains("SCAL9121", Refused(() => CSharpRecord.Of("T", "somewhere", [("a.json", "{")])), StringComparison.Ordinal);
    }

    [Fact]
    public void Results_of_one_name_are_taken_and_several_names_are_asked_about()
    {
        Assert.Equal(["a/config.json", "b/config.json"], CSharpRecord.Select(["a/config.json", "report.md", "b/config.json"], null));
        Assert.Equal(["a/torchtitan.json"], CSharpRecord.Select(["a/config.json", "a/torchtitan.json"], "torchtitan.json"));
        Assert.Equal(
            "error SCAL9120: A record is made of the JSON results of one name; of the restored results these are JSON: config.json, torchtitan.json. "
            + "Say which: --record-from config.json, or RecordFrom=\"config.json\" in a project.",
            Refused(() => CSharpRecord.Select(["a/torchtitan.json", "a/config.json"], null)));
        Assert.Equal(
            "error SCAL9120: A record is made of the JSON results of one name; of the restored results none is JSON. Restore a stage that writes JSON, such as 'export'.",
            Refused(() => CSharpRecord.Select(["report.md"], null)));
        Assert.Equal("error SCAL9120: No restored result is named 'best.json'; these are JSON: config.json. Write 'config.json', or leave the name out.", Refused(() => CSharpRecord.Select(["a/config.json"], "best.json")));
    }

    /// <summary>Names that C# has for something else, and values of every kind.</summary>
    internal static string Nasty() => CSharpRecord.Of("Some.@event.record".Replace("@", "", StringComparison.Ordinal), "pipeline 'a\nb', stage '</summary>'",
    [
        ("c/class/x.json",
            """
            { "class": 1, "record": 2, "to_string": 3, "ToString": 4, "clone": 5, "get-hash-code": 6, "Class": 7, "": 8, "1st": 9, "naïve & <b>": "</summary> \" \\ \u0000 \u2028 😀\r\n",
              "int_then_double": 1, "int_then_long": 1, "huge": 1e999, "small": 1e-320, "text_then_number": "a", "list": [1, 2.5, null], "empty": [], "lists": [[1], []],
              "objects": [{ "a": 1 }, { "b": "x" }], "object": { "object": { "object": true } }, "null": null, "min": -2147483648, "whole": 3.0, "mixed": [1, "a", {"b": 1}] }
            """),
        ("c/null/x.json", """{ "int_then_double": 0.5, "int_then_long": 9007199254740993, "text_then_number": 1, "only_here": "x" }"""),
    ]);

    private static string Refused(Func<object> of) => Assert.Throws<StageFailedException>(() => of()).Message;

    [Fact]
    public void An_instance_is_never_named_like_its_type_or_a_member_that_every_record_has()
    {
        string text = CSharpRecord.Of("My.Shape", "a test", [("shape/best.json", "{\"hidden\": 4}")]);
        Assert.DoesNotContain("static Shape Shape ", text);
        Assert.DoesNotContain(" Equals {", CSharpRecord.Of("My.Shape", "a test", [("equals/best.json", "{\"hidden\": 4}")]));
    }
}

// Every exported format, read back by what its readers use and not by us: MSBuild, a YAML parser, argparse, torchtitan's formula.
using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CsCheck;
using Scaling.Architectures;
using Scaling.Sdk;
using Scaling.Stages.Export;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

public sealed class ExportFormatTests : IDisposable
{
    /// <summary>What Meta published as LLaMA-3.2-1B.</summary>
    private static readonly DecoderShape Llama = new(16, 2048, 8192, 32, 8, 64, 128_256, Tied: true);

    /// <summary>One that torchtitan's arguments can say.</summary>
    private static readonly DecoderShape Square = new(12, 1024, 3584, 16, 4, 64, 32_000, Tied: false);

    private readonly TemporaryFolder _folder = new();
    private readonly StageRunner _runner;

    public ExportFormatTests() => _runner = new(new ExportStage(), _folder);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_format_is_written_for_both_shapes_and_nothing_else_is()
    {
        var result = Export(Square, ["huggingface", "torchtitan", "megatron", "litgpt", "props"], []);

        foreach (string pick in (string[])["accurate", "efficient"])
        {
            Assert.Equal(
                ["architecture.props", "config.json", "megatron.args", "model_config.yaml", "torchtitan.json"],
                Directory.GetFiles(Path.Combine(result.Folder, pick)).Select(Path.GetFileName).Order(StringComparer.Ordinal));
            Assert.All(Directory.GetFiles(Path.Combine(result.Folder, pick)), file => Assert.Contains($"[`{pick}/{Path.GetFileName(file)}`]", result.Text("report.md")));
        }

        Assert.Empty(result.Warnings);
        Assert.Equal(["model_config.yaml"], Directory.GetFiles(Path.Combine(Export(Square, ["litgpt"], []).Folder, "accurate")).Select(Path.GetFileName));
    }

    [Fact]
    public Task The_formats_look_like_this()
    {
        var result = Export(Square, ["torchtitan", "megatron", "litgpt", "props"], new() { ["eos_token_id"] = 2 });
        return Snapshot.Match(string.Join('\n', new[] { "torchtitan.json", "megatron.args", "model_config.yaml", "architecture.props" }.Select(f => $"== {f}\n{result.Text("accurate/" + f)}")));
    }

    [Fact]
    public void MSBuild_reads_every_property_of_the_props()
    {
        var result = Export(Llama, ["props"], new() { ["rope_theta"] = 500_000.5, ["eos_token_id"] = 128_001 });
        string project = _folder.Write("consumer.proj", $"""<Project><Import Project="{Path.Combine(result.Folder, "accurate/architecture.props")}" /></Project>""");
        var expected = new Dictionary<string, string>
        {
            ["ScalingShape"] = Llama.Id,
            ["ScalingLayers"] = "16",
            ["ScalingHidden"] = "2048",
            ["ScalingIntermediate"] = "8192",
            ["ScalingHeads"] = "32",
            ["ScalingKvHeads"] = "8",
            ["ScalingHeadSize"] = "64",
            ["ScalingVocabulary"] = "128256",
            ["ScalingTied"] = "true",
            ["ScalingParameters"] = "973078528",
            ["ScalingParametersTotal"] = $"{Llama.ParametersTotal}",
            ["ScalingRatio"] = "4.8",
            ["ScalingGqa"] = "4",
            ["ScalingMaxPositionEmbeddings"] = "2048",
            ["ScalingRopeTheta"] = "500000.5",
            ["ScalingRmsNormEps"] = "1E-05",
            ["ScalingInitializerRange"] = "0.02",
            ["ScalingBosTokenId"] = "",
            ["ScalingEosTokenId"] = "128001",
            ["ScalingDataType"] = "bfloat16",
        };

        var read = JsonNode.Parse(Run("dotnet", ["msbuild", project, "-nologo", .. expected.Keys.Select(name => $"-getProperty:{name}")]))!["Properties"]!;

        Assert.All(expected, property => Assert.Equal(property.Value, (string)read[property.Key]!));
    }

    [Fact]
    public void A_YAML_parser_reads_LitGPTs_configuration()
    {
        string text = Export(Llama, ["litgpt"], new() { ["rope_theta"] = 500_000.0, ["rms_norm_eps"] = 1e-6, ["max_position_embeddings"] = 131_072 }).Text("accurate/model_config.yaml");

        var read = new YamlDotNet.Serialization.Deserializer().Deserialize<Dictionary<string, string>>(text);

        // Fields of its own entry for Llama-3.2-1B, but for the vocabulary, which it takes for 128,000 padded to 128,256.
        var expected = new Dictionary<string, string>
        {
            ["block_size"] = "131072",
            ["vocab_size"] = "128256",
            ["padded_vocab_size"] = "128256",
            ["n_layer"] = "16",
            ["n_embd"] = "2048",
            ["n_head"] = "32",
            ["head_size"] = "64",
            ["n_query_groups"] = "8",
            ["rotary_percentage"] = "1.0",
            ["parallel_residual"] = "false",
            ["bias"] = "false",
            ["norm_class_name"] = "RMSNorm",
            ["norm_eps"] = "1.0e-06",
            ["mlp_class_name"] = "LLaMAMLP",
            ["intermediate_size"] = "8192",
            ["rope_base"] = "500000",
            ["name"] = $"shape-{Llama.Id}",
        };
        Assert.Equal(expected.OrderBy(p => p.Key, StringComparer.Ordinal), read);
        Assert.Contains("--train.tie_embeddings true", text, StringComparison.Ordinal);
        Assert.DoesNotContain("tie_embeddings", Export(Square, ["litgpt"], []).Text("accurate/model_config.yaml"), StringComparison.Ordinal);
    }

    [PythonFact]
    public void Argparse_reads_Megatrons_flags_with_their_types()
    {
        string script = _folder.Write("read.py", """
            import argparse, json, shlex, sys
            parser = argparse.ArgumentParser(allow_abbrev=False)
            for name in ["num-layers", "hidden-size", "ffn-hidden-size", "num-attention-heads", "num-query-groups", "kv-channels", "rotary-base", "max-position-embeddings",
                         "vocab-size", "make-vocab-size-divisible-by"]:
                parser.add_argument("--" + name, type=int, required=True)
            for name in ["norm-epsilon", "rotary-percent", "attention-dropout", "hidden-dropout", "init-method-std"]:
                parser.add_argument("--" + name, type=float, required=True)
            parser.add_argument("--normalization", choices=["LayerNorm", "RMSNorm"], required=True)
            parser.add_argument("--position-embedding-type", choices=["learned_absolute", "rope", "none"], required=True)
            for name in ["group-query-attention", "swiglu", "untie-embeddings-and-output-weights"]:
                parser.add_argument("--" + name, action="store_true")
            parser.add_argument("--disable-bias-linear", action="store_false", dest="add_bias_linear")
            print(json.dumps(vars(parser.parse_args(shlex.split(open(sys.argv[1]).read())))))
            """);
        JsonNode Read(DecoderShape shape) =>
            JsonNode.Parse(Run("python3", [script, Path.Combine(Export(shape, ["megatron"], new() { ["rope_theta"] = 500_000.0 }).Folder, "accurate/megatron.args")]))!;

        var llama = Read(Llama);
        var square = Read(Square);

        foreach (var (name, value) in new[]
                 {
                     ("num_layers", 16), ("hidden_size", 2048), ("ffn_hidden_size", 8192), ("num_attention_heads", 32), ("num_query_groups", 8), ("kv_channels", 64),
                     ("rotary_base", 500_000), ("max_position_embeddings", 2048), ("vocab_size", 128_256), ("make_vocab_size_divisible_by", 1),
                 })
        {
            Assert.Equal(value, (int)llama[name]!);
        }

        Assert.Equal((1e-5, 0.02, 1.0, 0.0), ((double)llama["norm_epsilon"]!, (double)llama["init_method_std"]!, (double)llama["rotary_percent"]!, (double)llama["hidden_dropout"]!));
        Assert.True((bool)llama["group_query_attention"]! && (bool)llama["swiglu"]! && !(bool)llama["add_bias_linear"]!);
        Assert.Equal(("RMSNorm", "rope"), ((string)llama["normalization"]!, (string)llama["position_embedding_type"]!));
        Assert.Equal((false, true), ((bool)llama["untie_embeddings_and_output_weights"]!, (bool)square["untie_embeddings_and_output_weights"]!));
    }

    [Fact]
    public void Torchtitan_derives_the_same_shape_from_its_arguments()
    {
        var read = JsonNode.Parse(Export(Square, ["torchtitan"], new() { ["rope_theta"] = 500_000.0, ["eos_token_id"] = 2 }).Text("accurate/torchtitan.json"))!;

        Assert.Equal(
            (1024, 12, 16, 4, 32_000), ((int)read["dim"]!, (int)read["n_layers"]!, (int)read["n_heads"]!, (int)read["n_kv_heads"]!, (int)read["vocab_size"]!));
        Assert.Equal(64, (int)read["dim"]! / (int)read["n_heads"]!);
        Assert.Equal(3584, TorchtitansWidth((int)read["dim"]!, (int)read["multiple_of"]!, (double?)read["ffn_dim_multiplier"]));
        Assert.Equal((1e-5, 500_000.0, 2048, 2, 1.0), ((double)read["norm_eps"]!, (double)read["rope_theta"]!, (int)read["max_seq_len"]!, (int)read["eos_id"]!, (double)read["rope_scaling_args"]!["scaling_factor"]!));

        // No field that TransformerModelArgs of 0.2.2 has not.
        string[] fields =
        [
            "dim", "n_layers", "n_heads", "n_kv_heads", "vocab_size", "multiple_of", "ffn_dim_multiplier", "norm_eps", "rope_theta", "rope_scaling_args", "max_seq_len", "depth_init",
            "attn_type", "attn_mask_type", "eos_id",
        ];
        Assert.All(read.AsObject(), field => Assert.Contains(field.Key, fields));
    }

    [Fact]
    public void Torchtitan_derives_every_width()
    {
        Assert.Equal((256, 1.3m), TorchtitanArguments.WidthArguments(4096, 14_336));
        Assert.Equal((256, null), TorchtitanArguments.WidthArguments(4096, 11_008));
        Gen.Select(Gen.Int[8, 20_000], Gen.Int[1, 80_000]).Sample((hidden, intermediate) =>
        {
            var (multipleOf, multiplier) = TorchtitanArguments.WidthArguments(hidden, intermediate);
            return TorchtitansWidth(hidden, multipleOf, (double?)multiplier) == intermediate;
        });
    }

    [Fact]
    public void A_shape_that_torchtitan_cannot_say_is_told_and_not_written()
    {
        var result = Export(SyntheticStudy.Accurate, ["huggingface", "torchtitan"], []);

        var warnings = result.Warnings.Where(w => w.Code == "SCAL7508").ToList();
        Assert.Equal(2, warnings.Count);
        Assert.Contains("accurate/torchtitan.json is not written: hidden size 60 is not 16 heads of 8", warnings[0].Message, StringComparison.Ordinal);
        Assert.Contains("its embeddings are tied", warnings[0].Message, StringComparison.Ordinal);
        Assert.Contains("'torchtitan' to 'consumers'", warnings[0].Hint, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(result.Folder, "accurate/torchtitan.json")));
        Assert.DoesNotContain("torchtitan.json", result.Text("report.md"), StringComparison.Ordinal);
        Assert.Contains("No configuration was written", Export(Llama, ["torchtitan"], []).Text("report.md"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_broken_base_of_rotary_positions_is_refused_for_every_format_that_takes_none()
    {
        var failure = Assert.Throws<StageFailedException>(() => Export(Square, ["huggingface", "megatron", "litgpt"], new() { ["rope_theta"] = 10_000.5 }));

        Assert.Equal(["SCAL7509", "SCAL7509"], failure.Diagnostics.Select(d => d.Code));
        Assert.Contains("'rope_theta' is 10000.5", failure.Diagnostics[0].Message, StringComparison.Ordinal);
        Assert.Contains("'litgpt'", failure.Diagnostics[1].Message, StringComparison.Ordinal);
    }

    /// <summary>PyYAML reads YAML 1.1, where a number with an exponent must have a point; YamlDotNet would not mind.</summary>
    [Fact]
    public void Numbers_of_the_YAML_have_a_point_before_their_exponent() =>
        Assert.DoesNotMatch(new Regex(@": \d+e"), Export(Square, ["litgpt"], new() { ["rms_norm_eps"] = 1e-5 }).Text("accurate/model_config.yaml"));

    /// <summary>FeedForward of torchtitan 0.2.2: two thirds of 4·dim, the multiplier, and up to the multiple, each time cut to a whole number.</summary>
    private static int TorchtitansWidth(int dim, int multipleOf, double? multiplier)
    {
        int width = (int)(2.0 * (4 * dim) / 3);
        if (multiplier is { } factor)
        {
            width = (int)(factor * width);
        }

        return multipleOf * (int)Math.Ceiling(width / (double)multipleOf);
    }

    private StageResult Export(DecoderShape shape, string[] formats, JsonObject settings)
    {
        var best = SyntheticStudy.Best(shape);
        (best with { Efficient = best.Accurate }).Write(_folder["best.json"]);
        settings["formats"] = new JsonArray([.. formats.Select(f => (JsonNode)f)]);
        return _runner.Run(settings, new Dictionary<string, string> { ["best"] = _folder["best.json"] });
    }

    private static string Run(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, output + error.Result);
        return output;
    }
}

// Tables of other people: their names, their formulas, what follows from a shape, which rows count, and what is wrong with them.
using System.Text;
using Scaling.Architectures;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

public sealed class RunTableTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_formula_stands_for_a_column()
    {
        var run = Assert.Single(Read("N,step,batch,context,val loss\n1e7,100,8,64,3\n", """{"columns":{"parameters":"N","tokens":"step * batch * context","loss":"`val loss` * ln(2)"}}""").Runs);
        Assert.Equal((1, 1e7, 51200, 3 * Math.Log(2)), (run.Row, run.Parameters, run.Tokens, run.Loss));
    }

    [Fact]
    public void A_columns_exact_name_is_that_column_however_odd()
    {
        var run = Assert.Single(Read("N,a-b,loss/val 1,a,b\n1e7,2e8,3,9,1\n", """{"columns":{"parameters":"N","tokens":"a-b","loss":"loss/val 1"}}""").Runs);
        Assert.Equal((2e8, 3.0), (run.Tokens, run.Loss));
    }

    [Fact]
    public void Everything_that_a_row_tells_is_read()
    {
        var read = Read(
            "N,D,L,all,r,g,w,run,lr,wd,experts,depth,d\n1e7,2e8,3,1.5e7,1.5,4,2,first,0.10,1e-1,8,4,256\n1e7,4e8,2.9,1.5e7,1.5,4,1, ,1e-1,0.1,16,4,256\n",
            """
            {"columns":{"parameters":"N","tokens":"D","loss":"L","parameters_total":"all","ratio":"r","gqa":"g","weight":"w","run":"run","group":["lr","wd"],"layers":"depth","hidden":"d"},
             "covariates":{"sparsity":"1 / experts","experts":"ln(experts)"}}
            """);

        var run = read.Runs[0];
        Assert.Equal(("first", 2.0, "lr=0.1, wd=0.1"), (run.Run, run.Weight, run.Group));
        Assert.Equal((256 / Math.Sqrt(1e7), 1.5, 4.0, 64.0, 1.5e7), (run.X!.Value, run.Ratio!.Value, run.Gqa!.Value, run.WidthOverDepth!.Value, run.OtherParameters!.Value));
        Assert.Equal(["experts", "sparsity"], read.Table.CovariateNames);
        Assert.Equal([Math.Log(8), 0.125], run.Covariates);
        Assert.Null(read.Runs[1].Run);
        Assert.Equal(run.Group, read.Runs[1].Group);
        Assert.Equal([4.0], read.Table.Context.Layers);
        Assert.Equal([4.0], read.Table.Context.Gqa);
        Assert.Empty(read.Warnings);
    }

    [Fact]
    public void What_a_table_does_not_tell_is_unknown()
    {
        var run = Assert.Single(Read("parameters,tokens,loss\n1e7,2e8,3\n").Runs);
        Assert.Equal((null, "", 1.0, "", null, null), (run.Run, run.Group, run.Weight, run.Shape, run.X, run.Ratio));
        Assert.Equal((null, null, null, 0), (run.Gqa, run.WidthOverDepth, run.OtherParameters, run.Covariates.Count));
    }

    [Fact]
    public void All_follows_from_a_shape()
    {
        // LLaMA-3-8B, of whose 8.03e9 parameters 6.98e9 are in the blocks' matrices.
        var shape = new DecoderShape(32, 4096, 14336, 32, 8, 128, 128256, false);
        const string Table = "tokens,loss,layers,hidden,intermediate,heads,kv_heads,vocabulary,tied\n15e12,1.9,32,4096,14336,32,8,128256,False\n";
        var run = Assert.Single(Read(Table).Runs);
        var total = Assert.Single(Read(Table, """{"counting":"total"}""").Runs);

        Assert.Equal(6979321856, run.Parameters);
        Assert.Equal(8030261248, run.OtherParameters);
        Assert.Equal((run.Parameters, run.OtherParameters), (total.OtherParameters!.Value, total.Parameters));
        Assert.Equal((shape.X, shape.Ratio, shape.Gqa, 128.0), (run.X!.Value, run.Ratio!.Value, run.Gqa!.Value, run.WidthOverDepth!.Value));
        Assert.Equal((run.X, run.Ratio, run.Gqa), (total.X, total.Ratio, total.Gqa));
        Assert.Equal([128.0], Read(Table).Table.Context.HeadSize);
        Assert.Equal([false], Read(Table).Table.Context.Tied);
    }

    [Fact]
    public void A_table_of_the_study_gives_what_its_own_columns_give()
    {
        var table = RunsTable.Of();
        string[] derived = ["parameters", "parameters_total", "x", "ratio", "gqa"];
        var without = new Sdk.Table(
            [.. table.Columns.Where(c => !derived.Contains(c))], [.. table.Rows.Select(r => r.Where((_, i) => !derived.Contains(table.Columns[i])).ToArray())]);

        foreach (string settings in new[] { "{}", """{"counting":"total"}""" })
        {
            var (given, followed) = (Read(table.ToCsv(), settings), Read(without.ToCsv(), settings));
            Assert.Equal(given.Runs.Select(r => r with { X = Math.Round(r.X!.Value, 12), Ratio = Math.Round(r.Ratio!.Value, 12) }), followed.Runs.Select(r => r with { X = Math.Round(r.X!.Value, 12), Ratio = Math.Round(r.Ratio!.Value, 12) }));
            Assert.Empty(given.Warnings);
        }
    }

    [Fact]
    public void Without_a_word_on_key_value_heads_nothing_is_assumed_of_them()
    {
        const string Table = "parameters,tokens,loss,hidden,intermediate,heads\n1e8,2e9,3,768,2048,12\n";
        Assert.Null(Assert.Single(Read(Table).Runs).Ratio);
        Assert.Equal(2.0, Assert.Single(Read(Table, """{"columns":{"kv_heads":"heads"}}""").Runs).Ratio!.Value, 1e-12);
        Assert.Equal(3 * 2048 / (2 * 768 * 1.25), Assert.Single(Read(Table, """{"columns":{"gqa":"4"}}""").Runs).Ratio!.Value, 1e-12);
    }

    [Fact]
    public void A_column_wins_over_what_follows_from_others()
    {
        var run = Assert.Single(Read(
            "parameters,tokens,loss,x,ratio,gqa,layers,hidden,intermediate,heads,kv_heads\n83e6,2e9,3,0.1,1.1,5,12,768,2048,12,12\n").Runs);
        Assert.Equal((83e6, 0.1, 1.1, 5.0), (run.Parameters, run.X!.Value, run.Ratio!.Value, run.Gqa!.Value));
    }

    [Fact]
    public void Embeddings_and_norms_are_taken_off_a_total()
    {
        const string Table = "all,tokens,loss,width,depth\n543482880,1.1e10,3.01,1024,28\n";
        var run = Assert.Single(Read(Table, """{"columns":{"parameters_total":"all","hidden":"width","layers":"depth","vocabulary":"50304","tied":"true"}}""").Runs);
        Assert.Equal(543482880 - 50304 * 1024 - 57 * 1024, run.Parameters);
        Assert.Equal(543482880, run.OtherParameters);
        Assert.Equal(1024 / Math.Sqrt(run.Parameters), run.X);

        var untied = Read(Table, """{"columns":{"parameters_total":"all","hidden":"width","vocabulary":"50304","tied":"false"}}""");
        Assert.Equal(543482880 - 2 * 50304 * 1024 - 1024, Assert.Single(untied.Runs).Parameters);
        Assert.Equal(["SCAL7119 runs.csv: Parameters of norms are not known without layers and stay in N (all rows)."], untied.Warnings);
    }

    [Fact]
    public void Counting_chooses_between_both_counts_and_x_does_not_move()
    {
        const string Table = "parameters,parameters_total,tokens,loss,hidden\n8e7,1e8,2e9,3,512\n";
        var (without, with) = (Assert.Single(Read(Table).Runs), Assert.Single(Read(Table, """{"counting":"total"}""").Runs));
        Assert.Equal((8e7, 1e8), (without.Parameters, without.OtherParameters!.Value));
        Assert.Equal((1e8, 8e7), (with.Parameters, with.OtherParameters!.Value));
        Assert.Equal(without.X, with.X);
    }

    [Fact]
    public void An_x_with_embeddings_is_told()
    {
        var read = Read("N,tokens,loss,hidden\n1e8,2e9,3,512\n", """{"counting":"total","columns":{"parameters":"N"}}""");
        Assert.Equal(512 / 1e4, Assert.Single(read.Runs).X);
        Assert.Equal(["SCAL7119 runs.csv: x is hidden over the root of an N with embeddings, since N without them is not known (all rows)."], read.Warnings);
    }

    [Fact]
    public void A_count_that_is_not_the_shapes_is_told()
    {
        var read = Read("parameters,tokens,loss,layers,hidden,intermediate,heads,kv_heads\n124e6,2e9,3,12,768,2048,12,12\n84934656,2e9,3,12,768,2048,12,12\n");
        Assert.Equal(
            ["SCAL7119 runs.csv: The columns of shapes give another N without embeddings, 8.493E+07 where 1.24E+08 is read (1 of 2 rows, first row 1); check 'counting' and whether the MLP is gated."],
            read.Warnings);
    }

    [Fact]
    public void Where_says_which_rows_count_and_their_numbers_stay()
    {
        var read = Read(
            "parameters,tokens,loss,set\n1e7,2e8,3,rpj\n1e7,2e8,12,rpj\n1e7,3e8,3,c4\nnonsense,0,NaN,c4\n2e7,2e8,2.9, rpj \n",
            """{"where":"loss < 10 and set == 'rpj'"}""");
        Assert.Equal([1, 5], read.Runs.Select(r => r.Row));
        Assert.Empty(read.Warnings);
    }

    [Fact]
    public void What_where_cannot_decide_is_left_out_and_told()
    {
        var read = Read("parameters,tokens,loss,lr\n1e7,2e8,3,0.1\n1e7,3e8,3,\n1e7,4e8,3,0.2\n", """{"where":"lr < 1"}""");
        Assert.Equal([1, 3], read.Runs.Select(r => r.Row));
        Assert.Equal(["SCAL7119 runs.csv: In 1 of 3 rows, first row 2, 'where' cannot be decided ('lr' is no number, where lr is nothing); such a row is left out."], read.Warnings);
    }

    [Fact]
    public void A_where_that_leaves_nothing_is_told() =>
        Refused(
            "parameters,tokens,loss,set\n1e7,2e8,3,rpj\n1e7,2e8,3.1,rpj\n", """{"where":"set == 'RPJ'"}""",
            "runs.csv: error SCAL7113: No row of 2 meets 'where: set == 'RPJ''. Correct the comparison, or remove it.");

    [Fact]
    public void Lines_that_repeat_are_read_once_and_runs_that_repeat_are_told()
    {
        var read = Read("parameters,tokens,loss,lr\n1e7,2e8,3,0.1\n1e7,2e8,3,0.1\n1e7,2e8,3,0.2\n1e8,2e8,2.9,0.1\n1e8,2e8,2.9,0.1\n");
        Assert.Equal([1, 3, 4], read.Runs.Select(r => r.Row));
        Assert.Equal(
            [
                "SCAL7119 runs.csv: 2 of 5 rows repeat another cell by cell, first row 2; such a row counts once.",
                "SCAL7119 runs.csv: Rows have the run, parameters, tokens, shape, seed and loss of another and count all the same (1 of 3 rows, first row 3).",
            ],
            read.Warnings);
    }

    [Fact]
    public void Seeds_of_one_loss_are_no_repetition() =>
        Assert.Empty(Read("parameters,tokens,loss,seed\n1e7,2e8,3,1\n1e7,2e8,3,2\n").Warnings);

    [Fact]
    public void A_constant_covariate_is_told_and_kept()
    {
        var read = Read("parameters,tokens,loss,e\n1e7,2e8,3,8\n2e7,2e8,3,8\n", """{"covariates":{"experts":"e"}}""");
        Assert.Equal([8.0], read.Runs[0].Covariates);
        Assert.Equal(["SCAL7119 runs.csv: The covariate experts is 8 in all rows, so nothing can be learnt of it."], read.Warnings);
    }

    [Fact]
    public void The_order_of_rows_changes_nothing_but_their_numbers()
    {
        var table = RunsTable.Of(noise: 0.1);
        string settings = """{"where":"loss < 9 or hidden > 3","columns":{"group":["seed"],"run":"shape"},"covariates":{"g":"gqa"}}""";
        var straight = Read(table.ToCsv(), settings);
        string[][] shuffled = [.. table.Rows];
        new Random(5).Shuffle(shuffled);
        var other = Read(new Sdk.Table(table.Columns, shuffled).ToCsv(), settings);

        static IEnumerable<string> Told(ReadRuns read) => read.Runs.Select(r => $"{r with { Row = 0, Covariates = [] }} {string.Join(' ', r.Covariates)}").Order(StringComparer.Ordinal);
        Assert.Equal(Told(straight), Told(other));
        Assert.Equal(straight.Table.Context.Layers, other.Table.Context.Layers);
    }

    [Fact]
    public void Json_lines_are_a_table()
    {
        var read = Read(
            "{\"params\": 543482880, \"tokens\": 1e10, \"final_loss\": 3.0146, \"width\": 1024, \"depth\": 28, \"note\": null}\n\n{\"final_loss\": 2.9, \"depth\": 12, \"params\": 2e8, \"tokens\": 2e10, \"width\": 768, \"late\": true}\r\n",
            """{"columns":{"parameters":"params - 50304 * width","loss":"final_loss","hidden":"width","layers":"depth"}}""");
        Assert.Equal([543482880 - 50304 * 1024, 2e8 - 50304 * 768], read.Runs.Select(r => r.Parameters));
        Assert.Equal([1024 / 28.0, 64], read.Runs.Select(r => r.WidthOverDepth!.Value));
    }

    [Theory]
    [InlineData("{\"a\": 1}\n{\"a\": 1\n", "runs.csv(2): error SCAL7117: Line 2 is no JSON object: ")]
    [InlineData("{\"a\": 1}\n[1]\n", "runs.csv(2): error SCAL7117: Line 2 is no JSON object: ")]
    [InlineData("{\"a\": 1, \"a\": 2}\n", "runs.csv(1): error SCAL7117: Line 1 is no JSON object: ")]
    [InlineData("{\"loss\": NaN}\n", "runs.csv(1): error SCAL7117: Line 1 is no JSON object: ")]
    [InlineData("{\"a\": {\"b\": 1}}\n", "runs.csv(1): error SCAL7118: Line 1: 'a' holds a list or an object where a number or text was expected. Leave it out, or write its parts as names of their own.")]
    [InlineData("PK\u0003\u0004\0\0\0\0", "runs.csv: error SCAL7117: The file is neither text nor Parquet. Expected CSV with a header, Parquet, or JSON Lines, not compressed.")]
    [InlineData("parameters, loss,loss\n", "runs.csv: error SCAL3102: This is no table: column 'loss' stands twice, but for blanks around it.")]
    [InlineData("parameters,tokens,loss\n1,2\n", "runs.csv: error SCAL3102: This is no table: row 1 has 2 cells where the header has 3.")]
    public void What_is_no_table_is_told(string text, string beginning) =>
        Assert.StartsWith(beginning, Assert.Single(RunFiles.Refused(() => Read(text))));

    [Fact]
    public Task A_table_with_every_kind_of_mistake_is_told_all_at_once() => Snapshot.Match(string.Join('\n', RunFiles.Refused(() => Read(
        """
        N,D,L,step,gpus,w,tied,heads,kv_heads,e
        1e8,2e9,3,100,8,1,true,8,4,1
        0,-1,0,100,0,0,yes,8,4,2
        text,NaN,Infinity,,8,-1,2,8.5,0,3
        ,,,100,8,,,,,
        """,
        """
        {"columns":{"parameters":"N","tokens":"D","loss":"L","weight":"w","hidden":"step / gpus"},"covariates":{"experts":"ln(e - 1)"}}
        """))));

    [Fact]
    public Task Settings_with_every_kind_of_mistake_are_told_all_at_once() => Snapshot.Match(string.Join('\n', RunFiles.Refused(() => Read(
        "N,D,loss,width,set\n1e8,2e9,3,512,c4\n",
        """
        {"columns":{"parameters":"N","tokens":"N","hidden":"widht","layers":"lg(width)","x":"(width","ratio":"width * dpeth","shape":"Set","run":"name","group":["set","lr"]},
         "where":"set == c4","covariates":{"a":"width","b":"width","c":"set ="}}
        """))));

    [Theory]
    [InlineData("tokens,loss,layers,hidden,heads,kv_heads\n1,1,1,1,1,1\n", "{}", "The table has no column 'parameters', and it does not follow from the shape, which lacks intermediate.")]
    [InlineData("tokens,loss,layers,hidden,heads,intermediate\n1,1,1,1,1,1\n", "{}", "The table has no column 'parameters', and it does not follow from the shape, which lacks kv_heads (or gqa).")]
    [InlineData("tokens,loss,parameters_total,hidden\n1,1,1,1\n", "{}", "The table has no column 'parameters', and it does not follow from the shape, which lacks vocabulary, tied.")]
    [InlineData("tokens,loss,layers,hidden,heads,kv_heads,intermediate\n1,1,1,1,1,1,1\n", "{\"counting\":\"total\"}", "The table has no column 'parameters', and it does not follow from the shape, which lacks vocabulary, tied.")]
    [InlineData("tokens,loss,hidden\n1,1,1\n", "{}", "The table has no column 'parameters'. It has: tokens, loss, hidden. Write 'columns: { parameters: NAME }' if the table calls it otherwise.")]
    [InlineData("params;tokens;loss\n1;2;3\n", "{}", "The table has no column 'parameters'. It has: params;tokens;loss. Separate the columns by commas.")]
    public void What_the_parameters_lack_is_told(string table, string settings, string said) =>
        Assert.Contains(said, RunFiles.Refused(() => Read(table, settings))[0]);

    [Theory]
    [InlineData("parameters,tokens,loss,heads,kv_heads\n1e8,2e9,3,8,32\n", "{}", "Row 1: 32 key/value heads are more than 8 heads. Correct the row, or leave it out with 'where'.")]
    [InlineData("parameters,parameters_total,tokens,loss\n1e8,9e7,2e9,3\n", "{}", "Row 1: 100000000 parameters without embeddings are more than 90000000 in all. Correct the row, or leave it out with 'where'.")]
    [InlineData("parameters_total,hidden,layers,vocabulary,tied,tokens,loss\n1e6,512,4,50000,1,2e9,3\n", "{}", "Row 1: 1000000 parameters in all are fewer than the embeddings and norms, 25604608, of hidden 512 and vocabulary 50000. Correct the row, or leave it out with 'where'.")]
    [InlineData("tokens,loss,layers,hidden,intermediate,heads,kv_heads\n1,1,4,64,128,4,2\n2e9,3,4,65,128,4,\n", "{}", "Row 2: the parameters are not given, and do not follow from its shape: kv_heads, head_size unknown. Correct the row, or leave it out with 'where'.")]
    [InlineData("tokens,loss,layers,hidden,intermediate,heads,gqa\n2e9,3,4,64,128,4,3\n", "{}", "Row 1: the parameters are not given, and do not follow from its shape: 4 heads cannot share keys and values 3 by 3. Correct the row, or leave it out with 'where'.")]
    [InlineData("parameters,tokens,loss,heads,head_size\n1e8,2e9,3,65536,65536\n", "{}", "Row 1: 65536 heads of 65536 features are wider than 1E+07 features. Correct the row, or leave it out with 'where'.")]
    public void Cells_that_contradict_each_other_are_told(string table, string settings, string said) =>
        Assert.Equal(["runs.csv: error SCAL7116: " + said], RunFiles.Refused(() => Read(table, settings)));

    [Fact]
    public void A_header_alone_is_told() =>
        Refused("parameters,tokens,loss\n", "{}", "runs.csv: error SCAL7114: The table has a header and no rows. Give it one row a run.");

    [Fact]
    public void Thousands_of_bad_cells_are_told_in_twenty_lines_and_a_count()
    {
        string[] said = RunFiles.Refused(() => Read("parameters,tokens,loss\n" + string.Concat(Enumerable.Range(0, 5000).Select(i => $"1e8,{i}e9,oops\n"))));
        Assert.Equal(21, said.Length);
        Assert.Equal("runs.csv: error SCAL7103: And 4981 more that are not listed.", said[^1]);
    }

    [Fact]
    public void A_million_rows_of_text_are_read_in_seconds()
    {
        var text = new StringBuilder("N,step,batch,loss,lr,width,depth,seed,name,set\n");
        for (int i = 0; i < 1_000_000; i++)
        {
            text.Append(1_000_000 + i % 1000).Append(',').Append(i + 1).Append(",1024,").Append(3 + 1.0 / (1 + i)).Append(",0.001,512,8,1,run ").Append(i / 1000).Append(",c4\n");
        }

        _folder.Write("runs.csv", text.ToString());
        text.Clear();
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var read = RunFiles.ReadFile(
            _folder["runs.csv"], """{"columns":{"parameters":"N","tokens":"step * batch","hidden":"width","layers":"depth","run":"name"},"covariates":{"rate":"ln(lr)"},"where":"loss < 10 and set == 'c4'"}""");

        Assert.Equal(1_000_000, read.Runs.Count);
        Assert.True(watch.Elapsed < TimeSpan.FromMinutes(2), $"it took {watch.Elapsed.TotalSeconds:F1} s; five are the promise, on an idle machine");
    }

    [SharedDataFact]
    public void The_gemstones_are_read_as_they_were_published()
    {
        var read = RunFiles.ReadFile(
            SharedData.File("gemstones/wandb_df_for_fitting_cool_end.jsonl"),
            """{"columns":{"parameters_total":"params_active_precise","loss":"final_loss","hidden":"width","layers":"depth","vocabulary":"50304","tied":"true","run":"run_name"}}""");

        Assert.Equal(199, read.Runs.Count);
        Assert.Equal(543482880 - 50304 * 1024 - 57 * 1024, read.Runs[0].Parameters);
        Assert.Equal("PyGemma-1024x28_pretrain", read.Runs[0].Run);
        Assert.Equal(1024 / 28.0, read.Runs[0].WidthOverDepth);
        Assert.Null(read.Runs[0].Ratio);
        Assert.Empty(read.Warnings);
    }

    [SharedDataFact]
    public void The_olmo_ladder_is_read_by_its_own_names()
    {
        var read = RunFiles.ReadFile(
            SharedData.File("olmo_ladder/ladder_final_losses.csv"),
            """{"columns":{"parameters":"N","tokens":"D","loss":"loss_c4","group":["mult"]},"where":"N < 3e9 and mult != '1xC'"}""");

        Assert.All(read.Runs, r => Assert.True(r.Parameters < 3e9 && r.Group != "mult=1xC"));
        Assert.Equal("mult=0.5xC", read.Runs[0].Group);
        Assert.Equal(3.74747896194458, read.Runs[0].Loss);
    }

    [SharedDataFact]
    public void Other_public_tables_are_read_by_their_own_names()
    {
        var gadre = RunFiles.ReadFile(
            SharedData.File("gadre/gadre_losses.csv"),
            """{"columns":{"parameters":"N_no_embed","parameters_total":"N","tokens":"D","loss":"loss_c4_val","group":["lr","wd","global_bs"],"weight":"1 / se95_c4_val^2"},"where":"train_set == 'rpj'"}""");
        Assert.Equal(35, gadre.Runs.Count);
        Assert.All(gadre.Runs, r => Assert.True(r.OtherParameters > r.Parameters));

        var morph = RunFiles.ReadFile(
            SharedData.File("morph/morph_loss.csv"),
            """{"columns":{"parameters_total":"N","tokens":"D","layers":"n_layers","hidden":"d_model","vocabulary":"vocab","tied":"false","heads":"n_heads","kv_heads":"n_heads","ratio":"2","shape":"variant"}}""");
        Assert.Equal(76, morph.Runs.Count);
        Assert.Equal(78914048 - 2 * 50432 * 512 - 17 * 512, morph.Runs[0].Parameters);
    }

    private ReadRuns Read(string text, string settings = "{}") => RunFiles.Read(_folder, text, settings);

    private void Refused(string text, string settings, params string[] said) => Assert.Equal(said, RunFiles.Refused(() => Read(text, settings)));
}

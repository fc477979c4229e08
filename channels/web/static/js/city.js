/**
 * Everything on the page that belongs to one city. Another city replaces this file.
 */

/**
 * @typedef {{number: string, label: string}} Hotline
 * @typedef {{key: "service"|"report"|"policy", icon: string, title: string, about: string,
 *   opening: string, samples: string[]}} Job
 */

/** @type {Readonly<{product: string, title: string, hotlines: Hotline[], jobs: Job[]}>} */
export const CITY = Object.freeze({
  product: "市民",
  title: "云州市市民服务助手",
  hotlines: [
    { number: "110", label: "报警" },
    { number: "119", label: "火警、救援" },
    { number: "120", label: "医疗急救" },
    { number: "12345", label: "政务服务便民热线" },
    { number: "12369", label: "环保举报热线" },
  ],
  jobs: [
    {
      key: "service",
      icon: "service",
      title: "办事咨询",
      about: "材料、地点、时间、费用",
      opening: "我想咨询怎么办事",
      samples: ["身份证丢了怎么补办？", "社保卡在哪里办？", "二手房过户要带什么材料？"],
    },
    {
      key: "report",
      icon: "camera",
      title: "随手拍",
      about: "油烟、噪声、垃圾、路灯",
      opening: "我要反映身边的问题",
      samples: ["楼下餐馆油烟太大了", "半夜工地还在施工，睡不着", "查一下我上次反映的进展"],
    },
    {
      key: "policy",
      icon: "policy",
      title: "找政策",
      about: "补贴、津贴、减税、贷款",
      opening: "我想看看能享受哪些政策",
      samples: ["我妈82岁了，有什么补贴？", "小微企业能申请哪些扶持？", "失业了能领什么补助？"],
    },
  ],
});
